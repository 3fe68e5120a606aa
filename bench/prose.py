"""Clinical prose that no two messages share: as repetitive as English is, and not more."""

import random

MESSAGE_BYTES = 400

_WORDS = """
the of and to in a is was with for on at she he they her his not has had have been be will would as by from this that
patient reports reported pain chest left right lower upper abdominal since yesterday morning evening week weeks days
review reviewed please advise advice next steps follow appointment clinic ward home visit nurse doctor consultant
pharmacy pharmacist medication medicines list dose dosage tablets daily twice nightly before after food water stopped
started increased reduced changed continue continued bloods blood pressure pulse temperature saturation oxygen room air
respiratory rate regular irregular clear bilateral wheeze crackles oedema swelling ankle legs skin rash itching wound
dressing dry clean healing infection antibiotic course completed allergy allergic penicillin intolerance nausea vomiting
diarrhoea appetite weight loss gain kilograms sleep poor better worse unchanged stable improving deteriorating
breathless breathlessness exertion rest stairs walking frame stick falls fall unsteady dizzy dizziness headache vision
hearing confusion memory mood low anxious worried daughter son wife husband mother father carer neighbour lives alone
support package council referral referred cardiology respiratory renal dermatology orthopaedics physiotherapy
occupational therapy dietitian speech language podiatry radiology imaging scan ultrasound x-ray echo result results
pending available normal abnormal raised mildly moderately severely kidney function liver potassium sodium haemoglobin
glucose diabetes insulin metformin ramipril amlodipine bisoprolol furosemide warfarin apixaban simvastatin
atorvastatin omeprazole paracetamol codeine morphine ibuprofen naproxen salbutamol inhaler spacer steroid prednisolone
hypertension asthma failure fibrillation stroke angina arthritis osteoporosis anaemia hypothyroid levothyroxine
discharge discharged summary letter attached copy sent received telephone called spoke answered message left voicemail
agreed plan discussed risks benefits consent understands happy declined prefers wishes wants asked question answer
urgent routine within hours tomorrow Monday Tuesday Wednesday Thursday Friday weekend holiday transport wheelchair
ambulance stretcher hospital surgery practice reception booked cancelled rearranged waiting time expected delay safe
safety net return emergency call if worsens otherwise meanwhile however therefore because although still already
again once more less few several another other same different between during until while where when which who how
what there here now then also only just very quite rather perhaps probably certainly no yes without about around under
over through against above below near sample samples urine stool sputum culture grew sensitive resistant swab throat
""".split()
# How often a word comes falls with its place in the list, as in any language.
_WEIGHTS = [1 / (place + 12) for place in range(len(_WORDS))]
_UNITS = ("mg", "mcg", "ml", "mmol/L", "g/L", "kg", "bpm", "%")


def body(dice: random.Random, size: int = MESSAGE_BYTES) -> str:
    """Return about `size` bytes of prose, cut at the size."""
    sentences: list[str] = []
    length = 0
    while length < size:
        words = dice.choices(_WORDS, _WEIGHTS, k=dice.randint(6, 18))
        if dice.random() < 0.5:
            words.insert(dice.randrange(len(words)), f"{dice.randint(1, 400)} {dice.choice(_UNITS)}")
        words[0] = words[0].capitalize()
        sentences.append(" ".join(words) + ".")
        length += len(sentences[-1]) + 1
    return " ".join(sentences)[:size].rstrip()


def bodies(seed: int, count: int) -> list[str]:
    """Return so many messages, the same for the same seed."""
    dice = random.Random(seed)
    return [body(dice) for _ in range(count)]
