// A thread: who opened it, where replies go, and to whom it is addressed.

Profile: CarethreadCommunicationRequest
Parent: CommunicationRequest
Id: carethread-communication-request
Title: "Thread"
Description: "A conversation about one patient, opened by an individual. Replies go to `sender`, or to the care team that the extension names, or else to the requester."
* extension contains
    SenderCareTeam named senderCareTeam 0..1 and
    ThreadParticipant named participant 0..* and
    ThreadPolicies named policies 0..1
* meta.security ^short = "N: standard. R: clinicians of participating groups only. V: named individuals only."
* status ^short = "active: open. completed: closed, or archived if so tagged. In: revoked archives."
* subject 1..1
* subject only Reference(Patient)
* requester 1..1
* requester only Reference(Practitioner or RelatedPerson or Patient)
* requester ^short = "The individual who opened it"
* sender only Reference(Practitioner or RelatedPerson or Patient or Organization)
* sender ^short = "Where replies go"
* recipient 1..*
* recipient only Reference(Practitioner or RelatedPerson or Patient or CareTeam or Organization)
* replaces 0..1
* replaces ^short = "The closed thread that this one continues"
* payload.content[x] only string or Attachment
* payload ^short = "The opening message, if there is one"
* obeys ct-one-text
* insert NotKept(basedOn)
* insert NotKept(groupIdentifier)
* insert NotKept(statusReason)
* insert NotKept(category)
* insert NotKept(doNotPerform)
* insert NotKept(medium)
* insert NotKept(about)
* insert NotKept(encounter)
* insert NotKept(occurrence[x])
* insert NotKept(reasonCode)
* insert NotKept(reasonReference)
* insert NotKept(note)
* insert NotUrgent

Profile: CarethreadOrganizationCommunicationRequest
Parent: CarethreadCommunicationRequest
Id: carethread-organization-communication-request
Title: "Thread between organisations"
Description: "A thread in which organisations are addressed directly. A professional or a related person opens it; replies may go to an organisation, and so may the thread."
* requester only Reference(Practitioner or RelatedPerson)
* sender only Reference(Practitioner or RelatedPerson or Organization)
* recipient only Reference(Practitioner or RelatedPerson or CareTeam or Organization)
