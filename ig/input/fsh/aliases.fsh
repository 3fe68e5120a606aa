Alias: $confidentiality = http://terminology.hl7.org/CodeSystem/v3-Confidentiality
Alias: $message-category = https://carethread.example/fhir/CodeSystem/message-category
Alias: $tag = https://carethread.example/fhir/CodeSystem/tag
