// Written by tools/fhir_examples.py from what a server answered; the tests compare.

Instance: thread-pharmacy-to-clinic
InstanceOf: CarethreadOrganizationCommunicationRequest
Usage: #example
Title: "A pharmacy asks a clinic"
Description: "A pharmacist opens the thread. Replies go to the pharmacy, whoever is there."
* meta.versionId = "3"
* meta.lastUpdated = 2026-01-13T10:03:58.377Z
* meta.security[0].system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
* meta.security[0].code = #N
* meta.security[0].display = "normal"
* extension[policies].extension[allow-patient-participation].valueBoolean = true
* extension[policies].extension[allow-external-organisations].valueBoolean = true
* status = #active
* subject.reference = "Patient/123"
* subject.type = "Patient"
* payload[0].contentString = "Can you review the patient's medication list?"
* authoredOn = 2026-01-13T09:02:11.120Z
* requester.reference = "Practitioner/A1"
* requester.type = "Practitioner"
* requester.display = "Ms Eleanor May Whitfield"
* recipient[0].reference = "Organization/Clinic-B"
* recipient[0].type = "Organization"
* recipient[0].display = "Huisartsenpraktijk De Linde"
* sender.reference = "Organization/Pharmacy-A"
* sender.type = "Organization"
* sender.display = "Riverside Pharmacy"

Instance: msg-1-pharmacy-question
InstanceOf: CarethreadOrganizationCommunication
Usage: #example
Title: "The question"
Description: "The first message of the thread, as a message. Posted as well, it is the one that is there, and has its name."
* meta.versionId = "1"
* meta.lastUpdated = 2026-01-13T09:02:11.120Z
* meta.security[0].system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
* meta.security[0].code = #N
* meta.security[0].display = "normal"
* extension[onBehalfOf].valueReference.reference = "Organization/Pharmacy-A"
* extension[onBehalfOf].valueReference.type = "Organization"
* extension[onBehalfOf].valueReference.display = "Riverside Pharmacy"
* basedOn[0].reference = "CommunicationRequest/thread-pharmacy-to-clinic"
* basedOn[0].type = "CommunicationRequest"
* partOf[0].reference = "CommunicationRequest/thread-pharmacy-to-clinic"
* partOf[0].type = "CommunicationRequest"
* status = #completed
* category[0].coding[0].system = "https://carethread.example/fhir/CodeSystem/message-category"
* category[0].coding[0].code = #clinician
* category[0].coding[0].display = "Written by a professional"
* subject.reference = "Patient/123"
* subject.type = "Patient"
* sent = 2026-01-13T09:02:11.120Z
* recipient[0].reference = "Organization/Clinic-B"
* recipient[0].type = "Organization"
* recipient[0].display = "Huisartsenpraktijk De Linde"
* sender.reference = "Practitioner/A1"
* sender.type = "Practitioner"
* sender.display = "Ms Eleanor May Whitfield"
* payload[0].contentString = "Can you review the patient's medication list?"

Instance: msg-2-clinic-response
InstanceOf: CarethreadOrganizationCommunication
Usage: #example
Title: "The clinic replies"
Description: "Somebody of the clinic answers. Where the reply goes is read from the thread."
* meta.versionId = "1"
* meta.lastUpdated = 2026-01-13T09:47:30.904Z
* meta.security[0].system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
* meta.security[0].code = #N
* meta.security[0].display = "normal"
* extension[onBehalfOf].valueReference.reference = "Organization/Clinic-B"
* extension[onBehalfOf].valueReference.type = "Organization"
* extension[onBehalfOf].valueReference.display = "Huisartsenpraktijk De Linde"
* basedOn[0].reference = "CommunicationRequest/thread-pharmacy-to-clinic"
* basedOn[0].type = "CommunicationRequest"
* partOf[0].reference = "CommunicationRequest/thread-pharmacy-to-clinic"
* partOf[0].type = "CommunicationRequest"
* inResponseTo[0].reference = "Communication/msg-1-pharmacy-question"
* inResponseTo[0].type = "Communication"
* status = #completed
* category[0].coding[0].system = "https://carethread.example/fhir/CodeSystem/message-category"
* category[0].coding[0].code = #clinician
* category[0].coding[0].display = "Written by a professional"
* subject.reference = "Patient/123"
* subject.type = "Patient"
* sent = 2026-01-13T09:47:30.904Z
* recipient[0].reference = "Organization/Pharmacy-A"
* recipient[0].type = "Organization"
* recipient[0].display = "Riverside Pharmacy"
* sender.reference = "Practitioner/B1"
* sender.type = "Practitioner"
* sender.display = "Dr. Joost van der Veen"
* payload[0].contentString = "Yes, I'll review it today and follow up by EOD"

Instance: msg-3-pharmacy-followup
InstanceOf: CarethreadOrganizationCommunication
Usage: #example
Title: "A colleague follows up"
Description: "Another pharmacist goes on, under their own name, for the same pharmacy."
* meta.versionId = "1"
* meta.lastUpdated = 2026-01-13T10:03:58.377Z
* meta.security[0].system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
* meta.security[0].code = #N
* meta.security[0].display = "normal"
* extension[onBehalfOf].valueReference.reference = "Organization/Pharmacy-A"
* extension[onBehalfOf].valueReference.type = "Organization"
* extension[onBehalfOf].valueReference.display = "Riverside Pharmacy"
* basedOn[0].reference = "CommunicationRequest/thread-pharmacy-to-clinic"
* basedOn[0].type = "CommunicationRequest"
* partOf[0].reference = "CommunicationRequest/thread-pharmacy-to-clinic"
* partOf[0].type = "CommunicationRequest"
* inResponseTo[0].reference = "Communication/msg-2-clinic-response"
* inResponseTo[0].type = "Communication"
* status = #completed
* category[0].coding[0].system = "https://carethread.example/fhir/CodeSystem/message-category"
* category[0].coding[0].code = #clinician
* category[0].coding[0].display = "Written by a professional"
* subject.reference = "Patient/123"
* subject.type = "Patient"
* sent = 2026-01-13T10:03:58.377Z
* recipient[0].reference = "Organization/Clinic-B"
* recipient[0].type = "Organization"
* recipient[0].display = "Huisartsenpraktijk De Linde"
* sender.reference = "Practitioner/A2"
* sender.type = "Practitioner"
* sender.display = "Priya Ramsay"
* payload[0].contentString = "Thank you for the quick response!"
