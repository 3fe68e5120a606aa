RuleSet: NotKept(element)
* {element} 0..0

RuleSet: NotUrgent
* priority ^short = "The record knows no urgency: routine, or nothing"
* priority = #routine

Invariant: ct-one-text
Description: "There is at most one text; everything else is attached."
Severity: #error
Expression: "payload.where(content is string).count() <= 1"

Invariant: ct-in-a-thread
Description: "A message stands in a thread: basedOn or partOf names it."
Severity: #error
Expression: "basedOn.exists() or partOf.exists()"

Invariant: ct-same-thread
Description: "Where basedOn and partOf are both there, they name the same thread."
Severity: #error
Expression: "basedOn.empty() or partOf.empty() or basedOn.reference = partOf.reference"
