// @medplum/core, as it comes from npm.

import assert from 'node:assert/strict';
import { MedplumClient, OperationOutcomeError } from '@medplum/core';
import { failure, identifier, message, play, reply, thread, told } from './scenario.mjs';

const signedIn = (who) =>
  new MedplumClient({ baseUrl: told.origin, fhirUrlPath: 'fhir', accessToken: told.tokens[who], fetch });
const [pharmacist, doctor, surgeon] = ['A1', 'B1', 'C1'].map(signedIn);
const open = (change) => pharmacist.createResource(thread(change));

await play({
  async capabilities() {
    const found = await pharmacist.get(pharmacist.fhirUrl('metadata'));
    assert.equal(found.resourceType, 'CapabilityStatement');
    assert.equal(found.fhirVersion, '4.0.1');
  },

  async create() {
    const made = await open();
    assert.ok(made.id);
    assert.equal(made.meta.versionId, '1');
    assert.equal(made.sender.reference, 'Organization/Pharmacy-A');
  },

  async read() {
    const made = await open();
    assert.deepEqual(await doctor.readResource('CommunicationRequest', made.id), made);
    assert.deepEqual(await doctor.readReference({ reference: `CommunicationRequest/${made.id}` }), made);
  },

  async search() {
    const { id } = await open();
    const answer = await doctor.createResource(reply(id, 'Yes, today.'));
    const query = { 'based-on': `CommunicationRequest/${id}`, _sort: 'sent' };
    const found = await pharmacist.searchResources('Communication', query);
    assert.deepEqual(found.map((each) => each.id).slice(1), [answer.id]);
    assert.equal(found.length, 2);
    const one = await pharmacist.searchOne('Communication', { ...query, _sort: '-sent' });
    assert.equal(one.id, answer.id);
    const counted = await pharmacist.search('Communication', { ...query, _total: 'accurate', _summary: 'count' });
    assert.equal(counted.total, 2);
  },

  async paging() {
    const { id } = await open();
    const sent = [];
    for (let number = 1; number <= 6; number += 1) {
      sent.push((await pharmacist.createResource(message(id, `Message ${number}`))).id);
    }
    const found = [];
    let pages = 0;
    const query = { 'based-on': `CommunicationRequest/${id}`, _sort: 'sent', _count: '2' };
    for await (const page of doctor.searchResourcePages('Communication', query)) {
      pages += 1;
      found.push(...page.map((each) => each.id));
    }
    assert.ok(pages >= 4);
    assert.equal(found.length, 7);
    assert.deepEqual(found.slice(1), sent);
  },

  async include() {
    const { id } = await open();
    const answer = await doctor.createResource(reply(id, 'Yes, today.'));
    const query = 'recipient=Organization/Pharmacy-A&_include=Communication:based-on&_count=3';
    const { entry } = await pharmacist.search('Communication', query);
    assert.equal(entry.find((each) => each.resource.id === answer.id).search.mode, 'match');
    assert.equal(entry.find((each) => each.resource.id === id).search.mode, 'include');
  },

  async conditional_create() {
    const [wanted] = identifier('medplum');
    const query = `identifier=${wanted.system}|${wanted.value}`;
    const create = () => pharmacist.createResourceIfNoneExist(thread({ identifier: [wanted] }), query);
    const [first, ...others] = await Promise.all([create(), create(), create(), create()]);
    for (const each of others) assert.equal(each.id, first.id);
    assert.equal((await pharmacist.searchResources('CommunicationRequest', query)).length, 1);
  },

  async update() {
    const made = await open();
    const change = () =>
      pharmacist.updateResource({ ...made, status: 'completed' }, { headers: { 'If-Match': 'W/"1"' } });
    const changed = await change();
    assert.equal(changed.status, 'completed');
    assert.equal(changed.meta.versionId, '2');
    const stale = await failure(change());
    assert.ok(stale instanceof OperationOutcomeError);
    assert.equal(stale.outcome.issue[0].code, 'conflict');
  },

  async history() {
    const made = await open();
    const changed = await pharmacist.updateResource({ ...made, status: 'completed' });
    const found = await doctor.readHistory('CommunicationRequest', made.id);
    assert.deepEqual(found.entry.map((each) => each.resource.meta.versionId), ['2', '1']);
    assert.deepEqual(await doctor.readVersion('CommunicationRequest', made.id, '1'), made);
    assert.deepEqual(await doctor.readVersion('CommunicationRequest', made.id, '2'), changed);
  },

  async validate() {
    const good = await pharmacist.validateResource(thread());
    assert.ok(good.issue.every((each) => each.severity === 'information'));
  },

  async batch() {
    const made = await open();
    const get = (url) => ({ request: { method: 'GET', url } });
    const done = await doctor.executeBatch({
      resourceType: 'Bundle',
      type: 'batch',
      entry: [get(`CommunicationRequest/${made.id}`), get('CommunicationRequest/nowhere')],
    });
    assert.deepEqual(done.entry[0].resource, made);
    assert.match(done.entry[1].response.status, /^404/);
  },

  async automatic_batches() {
    const made = [await open(), await open()];
    const batching = new MedplumClient({
      baseUrl: told.origin,
      fhirUrlPath: 'fhir',
      accessToken: told.tokens.B1,
      fetch,
      autoBatchTime: 10,
    });
    const found = await Promise.all(made.map((each) => batching.readResource('CommunicationRequest', each.id)));
    assert.deepEqual(found, made);
  },

  async files() {
    const { id } = await open();
    const data = Buffer.from('%PDF-1.7 invented').toString('base64');
    const attachment = { contentType: 'application/pdf', title: 'list.pdf', data };
    const sent = await pharmacist.createResource(
      message(id, '', { payload: [{ contentAttachment: attachment }] }),
    );
    const shown = sent.payload[0].contentAttachment;
    assert.match(shown.url, /Binary\//);
    const bytes = await doctor.download(new URL(shown.url, `${told.base}/`).toString());
    assert.equal(await bytes.text(), '%PDF-1.7 invented');
  },

  async errors() {
    const made = await open();
    const refused = [
      ['not-found', () => pharmacist.readResource('CommunicationRequest', 'nowhere')],
      ['not-found', () => surgeon.readResource('CommunicationRequest', made.id)],
      ['code-invalid', () => open({ status: 'nonsense' })],
      ['not-supported', () => pharmacist.search('Communication', 'nonsense=1')],
      ['forbidden', () => pharmacist.createResource(reply(made.id, 'Forged'))],
      ['not-supported', () => pharmacist.deleteResource('CommunicationRequest', made.id)],
    ];
    for (const [code, ask] of refused) {
      const error = await failure(ask());
      assert.ok(error instanceof OperationOutcomeError, error.stack);
      assert.equal(error.outcome.issue[0].code, code, JSON.stringify(error.outcome));
      assert.ok(error.message.length > 10);
    }
  },
});
