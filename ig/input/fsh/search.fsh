// Search parameters that R4 does not have.

RuleSet: OurSearchParameter
* version = "0.1.0"
* status = #draft
* experimental = false
* type = #reference
* xpathUsage = #normal

Instance: communication-in-response-to
InstanceOf: SearchParameter
Usage: #definition
* insert OurSearchParameter
* id = "communication-in-response-to"
* url = "https://carethread.example/fhir/SearchParameter/communication-in-response-to"
* name = "InResponseTo"
* code = #in-response-to
* base = #Communication
* target = #Communication
* expression = "Communication.inResponseTo"
* description = "Answers to a message."

Instance: communication-corrects
InstanceOf: SearchParameter
Usage: #definition
* insert OurSearchParameter
* id = "communication-corrects"
* url = "https://carethread.example/fhir/SearchParameter/communication-corrects"
* name = "Corrects"
* code = #corrects
* base = #Communication
* target = #Communication
* expression = "Communication.extension.where(url = 'https://carethread.example/fhir/StructureDefinition/corrects').value"
* description = "Corrections of a message."

Instance: communication-request-sender-care-team
InstanceOf: SearchParameter
Usage: #definition
* insert OurSearchParameter
* id = "communication-request-sender-care-team"
* url = "https://carethread.example/fhir/SearchParameter/communication-request-sender-care-team"
* name = "SenderCareTeam"
* code = #sender-care-team
* base = #CommunicationRequest
* target = #CareTeam
* expression = "CommunicationRequest.extension.where(url = 'https://carethread.example/fhir/StructureDefinition/sender-care-team').value"
* description = "Threads whose replies go to a care team."
