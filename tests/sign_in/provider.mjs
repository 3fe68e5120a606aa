// A provider at which people sign in, on this machine: oidc-provider as it comes from npm, with its own forms.
//
// It is told its clients in the first line of its input, and says in one line what it is called. Each line after that
// is a set of keys with which it signs from then on.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Provider } from "oidc-provider";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const told = JSON.parse((await lines.next()).value);
let provider;

function provide(issuer, keys) {
  provider = new Provider(issuer, {
    clients: told.clients,
    jwks: { keys },
    cookies: { keys: ["made up"] },
    pkce: { required: () => true },
    // What belongs to `openid` stands in the ID token, the rest is asked for afterwards.
    claims: { openid: ["sub", "fhirUser"], staff: ["employee_number"], email: ["email", "email_verified"] },
    features: { rpInitiatedLogout: { enabled: true } },
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "PS256", "ES256", "Ed25519", "EdDSA", "HS256"] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        fhirUser: `Practitioner/${id}`,
        employee_number: `staff-${id}`,
        email: `${id}@care.example`,
        email_verified: id !== "B1",
      }),
    }),
  });
}

const server = createServer((request, response) => provider.callback()(request, response));
server.listen(0, "127.0.0.1", async () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  provide(issuer, told.keys);
  console.log(JSON.stringify({ issuer }));
  for await (const line of { [Symbol.asyncIterator]: () => lines }) {
    provide(issuer, JSON.parse(line));
    console.log(JSON.stringify({ rotated: true }));
  }
  process.exit(0);
});
