CodeSystem: MessageCategory
Id: message-category
Title: "What a message is"
Description: "The kinds of entries in a thread."
* ^url = $message-category
* ^experimental = false
* ^caseSensitive = true
* #clinician "Written by a professional"
* #patient "Written by the patient or somebody close to them"
* #system "Tells of a change to the thread"
* #correction "Corrects another message"

ValueSet: MessageCategories
Id: message-categories
Title: "What a message is"
Description: "The kinds of entries in a thread."
* ^experimental = false
* include codes from system $message-category

CodeSystem: Tag
Id: tag
Title: "What has become of a thread or message"
Description: "Tags of resources."
* ^url = $tag
* ^experimental = false
* ^caseSensitive = true
* #archived "The thread is archived"
* #corrected "There is a correction of this message"

CodeSystem: AccessAction
Id: access-action
Title: "What was asked for"
Description: "What a line of the access log says was done. It says served, never read."
* ^experimental = false
* ^caseSensitive = true
* #served "A thread or a message was served"
* #listed "A list of threads was served"
* #searched "Messages were searched"
* #written "Something was recorded"
* #exported "A record was exported"
* #emergency "A restricted thread was opened, with a reason"

CodeSystem: ActorKind
Id: actor-kind
Title: "As what somebody asked"
Description: "What the access log says somebody acted as."
* ^experimental = false
* ^caseSensitive = true
* #person "An individual, before it was looked up what they are"
* #practitioner "A professional"
* #related_person "Somebody close to a patient"
* #patient "A patient"
* #client "A program without a named individual"
* #auditor "An auditor, for a stated purpose"
* #steward "A steward"
* #operator "Whoever operates the installation"

CodeSystem: Standing
Id: standing
Title: "What a member of a group is in it"
Description: "In PractitionerRole.code and CareTeam.participant.role: what somebody may do as a member. Where nothing of this system is said, HL7's doctor, nurse and pharmacist are clinicians, and everybody else is a care administrator."
* ^url = "urn:carethread:standing"
* ^experimental = false
* ^caseSensitive = true
* #clinician "A clinician"
* #care_administrator "A care administrator"
