Extension: SenderCareTeam
Id: sender-care-team
Title: "Replies go to a care team"
Description: "Where replies to a thread go, when that is a care team, which R4's `sender` cannot be. An individual `sender` must then be the requester."
Context: CommunicationRequest
* value[x] 1..1
* value[x] only Reference(CareTeam)

Extension: ThreadParticipant
Id: participant
Title: "Takes part without being asked"
Description: "Somebody who takes part in a thread and is none of its recipients. They see the whole thread."
Context: CommunicationRequest
* value[x] 1..1
* value[x] only Reference(Practitioner or RelatedPerson or Patient or CareTeam or Organization)

Extension: ThreadPolicies
Id: policies
Title: "Who may become a participant"
Description: "Two rules of a thread. Both hold where nothing is said."
Context: CommunicationRequest
* extension contains
    allow-patient-participation 0..1 and
    allow-external-organisations 0..1
* extension[allow-patient-participation] ^short = "The patient's side may take part"
* extension[allow-patient-participation].value[x] 1..1
* extension[allow-patient-participation].value[x] only boolean
* extension[allow-external-organisations] ^short = "Organisations other than the one it was opened for may take part"
* extension[allow-external-organisations].value[x] 1..1
* extension[allow-external-organisations].value[x] only boolean

Extension: OnBehalfOf
Id: on-behalf-of
Title: "Written for"
Description: "The organisation or care team for which an individual wrote a message, as its active member at that moment."
Context: Communication
* value[x] 1..1
* value[x] only Reference(Organization or CareTeam)

Extension: Corrects
Id: corrects
Title: "Corrects"
Description: "The message that this one corrects."
Context: Communication
* value[x] 1..1
* value[x] only Reference(Communication)

Extension: CorrectedBy
Id: corrected-by
Title: "Corrected by"
Description: "A correction of this message. The message is tagged as well, so that nobody goes on reading what was wrong."
Context: Communication
* value[x] 1..1
* value[x] only Reference(Communication)
