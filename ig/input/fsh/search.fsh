// Search parameters that R4 does not have.

RuleSet: OurSearchParameter
* version = "0.1.0"
* status = #draft
* experimental = false
* type = #reference
* xpathUsage = #normal

Instance: Communication-in-response-to
InstanceOf: SearchParameter
Usage: #definition
* insert OurSearchParameter
* id = "Communication-in-response-to"
* url = "https://carethread.example/fhir/SearchParameter/Communication-in-response-to"
* name = "InResponseTo"
* code = #in-response-to
* base = #Communication
* target = #Communication
* expression = "Communication.inResponseTo"
* description = "Answers to a message."

Instance: Communication-corrects
InstanceOf: SearchParameter
Usage: #definition
* insert OurSearchParameter
* id = "Communication-corrects"
* url = "https://carethread.example/fhir/SearchParameter/Communication-corrects"
* name = "Corrects"
* code = #corrects
* base = #Communication
* target = #Communication
* expression = "Communication.extension.where(url = 'https://carethread.example/fhir/StructureDefinition/corrects').value"
* description = "Corrections of a message."

Instance: CommunicationRequest-sender-care-team
InstanceOf: SearchParameter
Usage: #definition
* insert OurSearchParameter
* id = "CommunicationRequest-sender-care-team"
* url = "https://carethread.example/fhir/SearchParameter/CommunicationRequest-sender-care-team"
* name = "SenderCareTeam"
* code = #sender-care-team
* base = #CommunicationRequest
* target = #CareTeam
* expression = "CommunicationRequest.extension.where(url = 'https://carethread.example/fhir/StructureDefinition/sender-care-team').value"
* description = "Threads whose replies go to a care team."
