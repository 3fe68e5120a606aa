// What the scripts of this folder share: what they are told, the resources they send, and the run of their steps.

import { readFileSync } from 'node:fs';

export const told = JSON.parse(readFileSync(0, 'utf8'));

const reference = (text) => ({ reference: text });

/** A thread that the pharmacy's A1 opens with the clinic. */
export const thread = (change = {}) => ({
  resourceType: 'CommunicationRequest',
  status: 'active',
  subject: reference('Patient/P1'),
  requester: reference('Practitioner/A1'),
  sender: reference('Organization/Pharmacy-A'),
  recipient: [reference('Organization/Clinic-B')],
  payload: [{ contentString: "Can you review the patient's medication list?" }],
  ...change,
});

/** The clinic's B1 answering the pharmacy in a thread. */
export const reply = (to, text, change = {}) => ({
  resourceType: 'Communication',
  status: 'completed',
  basedOn: [reference(`CommunicationRequest/${to}`)],
  sender: reference('Practitioner/B1'),
  recipient: [reference('Organization/Pharmacy-A')],
  payload: [{ contentString: text }],
  ...change,
});

/** The pharmacy's A1 writing on in a thread. */
export const message = (to, text, change = {}) =>
  reply(to, text, {
    sender: reference('Practitioner/A1'),
    recipient: [reference('Organization/Clinic-B')],
    ...change,
  });

export const identifier = (value) => [{ system: 'urn:example:tests', value: `${value}-${told.run}` }];

/** Await what must fail; return what it failed with. */
export const failure = async (promise) => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('nothing was refused');
};

/** Do each step, in order; tell what was wrong with it, or nothing. */
export const play = async (steps) => {
  const results = {};
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step();
      results[name] = '';
    } catch (error) {
      const data = error.response?.data ?? error.outcome;
      results[name] = `${error.stack}${data ? `\n${JSON.stringify(data)}` : ''}`;
    }
  }
  process.stdout.write(JSON.stringify(results), () => process.exit(0));
};
