// A message: written by an individual, always; for an organisation or team, where it says so.

Profile: CarethreadCommunication
Parent: Communication
Id: carethread-communication
Title: "Message"
Description: "One entry of a thread. It is never changed: what was wrong is corrected by another message, and both say so."
* extension contains
    OnBehalfOf named onBehalfOf 0..1 and
    Corrects named corrects 0..1 and
    CorrectedBy named correctedBy 0..*
* basedOn 0..1
* basedOn only Reference(CommunicationRequest)
* basedOn ^short = "The thread"
* partOf 0..1
* partOf only Reference(CommunicationRequest)
* partOf ^short = "The thread as well: either of the two is enough"
* inResponseTo 0..1
* category from MessageCategories (extensible)
* subject only Reference(Patient)
* sender 1..1
* sender only Reference(Practitioner or RelatedPerson or Patient)
* sender ^short = "The individual who wrote it"
* recipient only Reference(Practitioner or RelatedPerson or Patient or CareTeam or Organization)
* payload.content[x] only string or Attachment
* obeys ct-one-text and ct-in-a-thread and ct-same-thread
* insert NotKept(instantiatesCanonical)
* insert NotKept(instantiatesUri)
* insert NotKept(statusReason)
* insert NotKept(medium)
* insert NotKept(topic)
* insert NotKept(about)
* insert NotKept(encounter)
* insert NotKept(received)
* received ^short = "Nobody can know that: what was served is in the access log"
* insert NotKept(reasonCode)
* insert NotKept(reasonReference)
* insert NotKept(note)
* insert NotUrgent

Profile: CarethreadOrganizationCommunication
Parent: CarethreadCommunication
Id: carethread-organization-communication
Title: "Message between organisations"
Description: "A message whose recipients may be organisations. Whoever wrote it is a professional or a related person."
* sender only Reference(Practitioner or RelatedPerson)
* recipient only Reference(Practitioner or RelatedPerson or CareTeam or Organization)
