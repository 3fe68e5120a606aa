// fhir-kit-client, as it comes from npm.

import assert from 'node:assert/strict';
import { Client } from 'fhir-kit-client';
import { failure, identifier, message, play, reply, thread, told } from './scenario.mjs';

const signedIn = (who) => new Client({ baseUrl: told.base, bearerToken: told.tokens[who] });
const [pharmacist, doctor, surgeon] = ['A1', 'B1', 'C1'].map(signedIn);
const CommunicationRequest = 'CommunicationRequest';
const Communication = 'Communication';
const headersOf = (answer) => Client.httpFor(answer).response.headers;

const open = (change) => pharmacist.create({ resourceType: CommunicationRequest, body: thread(change) });
const write = (to, text, change) =>
  pharmacist.create({ resourceType: Communication, body: message(to, text, change) });

const allPages = async (client, resourceType, searchParams) => {
  const pages = [];
  let bundle = await client.search({ resourceType, searchParams });
  while (bundle) {
    pages.push(bundle);
    bundle = await client.nextPage({ bundle });
  }
  return pages;
};

await play({
  async capabilities() {
    const found = await new Client({ baseUrl: told.base }).capabilityStatement();
    assert.equal(found.resourceType, 'CapabilityStatement');
    assert.equal(found.fhirVersion, '4.0.1');
    const types = found.rest[0].resource.map((each) => each.type);
    assert.ok(types.includes(Communication) && types.includes(CommunicationRequest));
  },

  async smart() {
    await new Client({ baseUrl: told.base }).smartAuthMetadata();
  },

  async create() {
    const made = await open();
    assert.ok(made.id);
    assert.equal(made.meta.versionId, '1');
    const { response } = Client.httpFor(made);
    assert.equal(response.status, 201);
    assert.equal(response.headers.get('etag'), 'W/"1"');
    assert.equal(response.headers.get('location'), `${told.base}/CommunicationRequest/${made.id}/_history/1`);
  },

  async read() {
    const made = await open();
    const found = await doctor.read({ resourceType: CommunicationRequest, id: made.id });
    assert.deepEqual(found, made);
    assert.equal(headersOf(found).get('etag'), 'W/"1"');
  },

  async search() {
    const { id } = await open();
    const answer = await doctor.create({ resourceType: Communication, body: reply(id, 'Yes, today.') });
    const searchParams = { 'based-on': `CommunicationRequest/${id}`, _sort: 'sent' };
    for (const postSearch of [false, true]) {
      const found = await pharmacist.search({
        resourceType: Communication,
        searchParams,
        options: { postSearch },
      });
      assert.equal(found.type, 'searchset');
      assert.deepEqual(
        found.entry.map((each) => each.resource.payload[0].contentString),
        ["Can you review the patient's medication list?", 'Yes, today.'],
      );
      assert.equal(found.entry[1].resource.id, answer.id);
      assert.equal(found.entry[1].fullUrl, `${told.base}/Communication/${answer.id}`);
    }
  },

  async paging() {
    const { id } = await open();
    const sent = [];
    for (let number = 1; number <= 6; number += 1) sent.push((await write(id, `Message ${number}`)).id);
    const pages = await allPages(doctor, Communication, {
      'based-on': `CommunicationRequest/${id}`,
      _sort: 'sent',
      _count: 2,
    });
    assert.ok(pages.length >= 4);
    const found = pages.flatMap((page) => page.entry ?? []).map((each) => each.resource.id);
    assert.equal(found.length, 7);
    assert.deepEqual(found.slice(1), sent);
  },

  async include() {
    const { id } = await open();
    const answer = await doctor.create({ resourceType: Communication, body: reply(id, 'Yes, today.') });
    const pages = await allPages(pharmacist, Communication, {
      recipient: 'Organization/Pharmacy-A',
      _include: 'Communication:based-on',
      _count: 3,
    });
    const entries = pages[0].entry;
    assert.equal(entries.find((each) => each.resource.id === answer.id).search.mode, 'match');
    assert.equal(entries.find((each) => each.resource.id === id).search.mode, 'include');
  },

  async conditional_create() {
    const [wanted] = identifier('kit');
    const create = () =>
      pharmacist.create({
        resourceType: CommunicationRequest,
        body: thread({ identifier: [wanted] }),
        options: { headers: { 'If-None-Exist': `identifier=${wanted.system}|${wanted.value}` } },
      });
    const [first, ...others] = await Promise.all([create(), create(), create(), create()]);
    for (const each of others) assert.equal(each.id, first.id);
    const found = await pharmacist.search({
      resourceType: CommunicationRequest,
      searchParams: { identifier: `${wanted.system}|${wanted.value}` },
    });
    assert.equal(found.entry.length, 1);
  },

  async update() {
    const made = await open();
    const change = (version) =>
      pharmacist.update({
        resourceType: CommunicationRequest,
        id: made.id,
        body: { ...made, status: 'completed' },
        options: { headers: { 'If-Match': `W/"${version}"` } },
      });
    const changed = await change(1);
    assert.equal(changed.status, 'completed');
    assert.equal(changed.meta.versionId, '2');
    const stale = await failure(change(1));
    assert.equal(stale.response.status, 412);
    assert.equal(stale.response.data.resourceType, 'OperationOutcome');
  },

  async update_creates() {
    const id = `kit-${told.run}`;
    const body = thread({ id });
    const made = await pharmacist.update({ resourceType: CommunicationRequest, id, body });
    assert.equal(made.id, id);
    assert.equal(Client.httpFor(made).response.status, 201);
    assert.deepEqual(await doctor.read({ resourceType: CommunicationRequest, id }), made);
  },

  async history() {
    const made = await open();
    const changed = await pharmacist.update({
      resourceType: CommunicationRequest,
      id: made.id,
      body: { ...made, status: 'completed' },
    });
    const found = await doctor.history({ resourceType: CommunicationRequest, id: made.id });
    assert.equal(found.type, 'history');
    assert.deepEqual(found.entry.map((each) => each.resource.meta.versionId), ['2', '1']);
    for (const each of [made, changed]) {
      const version = each.meta.versionId;
      assert.deepEqual(
        await doctor.vread({ resourceType: CommunicationRequest, id: made.id, version }),
        each,
      );
    }
    const feed = await doctor.history({ resourceType: Communication });
    assert.equal(feed.type, 'history');
  },

  async validate() {
    const operation = (body) =>
      pharmacist.operation({ name: 'validate', resourceType: CommunicationRequest, input: body });
    const good = await operation(thread());
    assert.equal(good.resourceType, 'OperationOutcome');
    assert.ok(good.issue.every((each) => each.severity === 'information'));
    const bad = await operation(thread({ status: 'nonsense' }));
    assert.ok(bad.issue.some((each) => each.expression[0] === 'CommunicationRequest.status'));
  },

  async transaction() {
    const urn = 'urn:uuid:3b2f0a44-6d3c-4a57-9a5f-0c2f3f6f7a10';
    const post = (resource, fullUrl) => ({
      ...(fullUrl ? { fullUrl } : {}),
      resource,
      request: { method: 'POST', url: resource.resourceType },
    });
    const body = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        post(thread(), urn),
        post(message('x', 'And one thing more.', { basedOn: [{ reference: urn }] })),
      ],
    };
    const done = await pharmacist.transaction({ body });
    assert.equal(done.type, 'transaction-response');
    for (const each of done.entry) assert.match(each.response.status, /^201/);
    const [id] = done.entry[0].response.location.match(/CommunicationRequest\/([^/]+)/).slice(1);
    const found = await doctor.search({ resourceType: Communication, searchParams: { 'based-on': id } });
    assert.equal(found.entry.length, 2);
  },

  async batch() {
    const made = await open();
    const get = (url) => ({ request: { method: 'GET', url } });
    const body = {
      resourceType: 'Bundle',
      type: 'batch',
      entry: [get(`CommunicationRequest/${made.id}`), get('CommunicationRequest/nowhere')],
    };
    const done = await doctor.batch({ body });
    assert.equal(done.type, 'batch-response');
    assert.deepEqual(done.entry[0].resource, made);
    assert.match(done.entry[1].response.status, /^404/);
    assert.equal(done.entry[1].response.outcome.resourceType, 'OperationOutcome');
  },

  async errors() {
    const made = await open();
    const refused = [
      [404, () => pharmacist.read({ resourceType: CommunicationRequest, id: 'nowhere' })],
      [404, () => surgeon.read({ resourceType: CommunicationRequest, id: made.id })],
      [404, () => pharmacist.read({ resourceType: 'Basic', id: '1' })],
      [400, () => open({ status: 'nonsense' })],
      [400, () => pharmacist.search({ resourceType: Communication, searchParams: { nonsense: '1' } })],
      [403, () => pharmacist.create({ resourceType: Communication, body: reply(made.id, 'Forged') })],
      [422, () => open({ priority: 'stat' })],
      [405, () => pharmacist.delete({ resourceType: CommunicationRequest, id: made.id })],
      [405, () => pharmacist.patch({ resourceType: CommunicationRequest, id: made.id, jsonPatch: [] })],
      [401, () => new Client({ baseUrl: told.base }).read({ resourceType: Communication, id: '1' })],
    ];
    for (const [status, ask] of refused) {
      const error = await failure(ask());
      assert.equal(error.response?.status, status, `${error.message} ${JSON.stringify(error.response?.data)}`);
      assert.equal(error.response.data.resourceType, 'OperationOutcome');
    }
  },
});
