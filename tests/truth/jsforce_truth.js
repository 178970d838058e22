// jsforce against the lab's CRM: JWT bearer, client credentials, refresh of a dead token,
// records, arrays of records with mixed results, external ids, query pages, describe, limits,
// identity, changes.
'use strict';

const crypto = require('crypto');
const { Connection } = require('jsforce');
const { main } = require('./checks');

const VERSION = '60.0';

function options(lab) {
  return { loginUrl: lab.salesforce.http_url, version: VERSION };
}

// A signed assertion (RFC 7523) that the app speaks for a user.
function assertion(lab, username, key = lab.salesforce.jwt_private_key_pem) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    iss: lab.salesforce.client_id,
    sub: username,
    aud: lab.salesforce.login_url,
    exp: Math.floor(Date.now() / 1000) + 180,
  };
  const text = `${part({ alg: 'RS256' })}.${part(claims)}`;
  return `${text}.${crypto.sign('RSA-SHA256', Buffer.from(text), key).toString('base64url')}`;
}

async function signedIn(lab, person, key) {
  const connection = new Connection(options(lab));
  await connection.authorize({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: assertion(lab, person.sf_username, key),
  });
  // The lab names its TLS address as the instance; over plain HTTP it is the same world.
  connection.instanceUrl = lab.salesforce.http_url;
  return connection;
}

async function signIn(lab, checks) {
  const connection = await signedIn(lab, lab.people[0]);
  const identity = await connection.identity();
  checks.equal(identity.username, lab.people[0].sf_username, 'the identity of a JWT');
  checks.equal(identity.user_id, lab.people[0].sf_user_id, 'its user id');
  const { privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const other = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const failure = await checks.rejects(() => signedIn(lab, lab.people[0], other), 'an assertion under another key');
  checks.that(/invalid/.test(String(failure && failure.message)), `the refusal says so, it says ${failure}`);
}

async function refresh(lab, checks) {
  const good = await signedIn(lab, lab.people[0]);
  let refreshed = 0;
  const connection = new Connection({
    instanceUrl: lab.salesforce.http_url,
    accessToken: '00Dxx!dead',
    version: VERSION,
    refreshFn: (_, callback) => {
      refreshed += 1;
      callback(null, good.accessToken);
    },
  });
  const found = await connection.query('SELECT Id FROM User LIMIT 1');
  checks.equal([found.records.length, refreshed], [1, 1], 'one refresh after a dead token, then the answer');
}

async function records(lab, checks) {
  const connection = await signedIn(lab, lab.people[0]);
  const contacts = connection.sobject('Contact');
  const made = await contacts.create({ LastName: 'Jsforce Ångström', Email: 'jsforce@truth.example' });
  checks.that(made.success && made.id.length === 18, 'a contact is made');
  const read = await contacts.retrieve(made.id);
  checks.equal([read.LastName, read.OwnerId], ['Jsforce Ångström', lab.people[0].sf_user_id], 'what it says');
  checks.that((await contacts.update({ Id: made.id, Title: '主任' })).success, 'it is changed');
  checks.equal((await contacts.retrieve(made.id)).Title, '主任', 'the changed title');
  const found = await contacts.find({ Email: 'jsforce@truth.example' }, ['Id', 'Title']);
  checks.equal(found.map((row) => row.Id), [made.id], 'it is found by its address');
  checks.that((await contacts.destroy(made.id)).success, 'it is deleted');
  const failure = await checks.rejects(() => contacts.retrieve(made.id), 'a deleted contact');
  checks.equal(failure && failure.errorCode, 'NOT_FOUND', 'the code for a deleted contact');
}

async function arrays(lab, checks) {
  const connection = await signedIn(lab, lab.people[0]);
  const tasks = connection.sobject('Task');
  const rows = Array.from({ length: 300 }, (_, at) => ({ Subject: `Jsforce ${at}` }));
  rows[3].Subject = 'x'.repeat(300);
  const made = await tasks.create(rows, { allowRecursive: true });
  checks.equal(made.length, 300, 'as many results as rows');
  checks.equal(made.flatMap((row, at) => (row.success ? [] : [at])), [3], 'the rows that fail');
  checks.equal(made[3].errors[0].statusCode, 'STRING_TOO_LONG', 'why the bad row fails');
  const ids = made.filter((row) => row.success).map((row) => row.id);
  const read = await tasks.retrieve(ids.slice(0, 150));
  checks.equal(read.map((row) => row.Id), ids.slice(0, 150), 'an array is read in its order');
  const changed = await tasks.update(ids.slice(0, 10).map((Id) => ({ Id, Status: 'Completed' })));
  checks.that(changed.every((row) => row.success), 'an array is changed');
  checks.that((await tasks.retrieve(ids[0])).IsClosed, 'a completed task is closed');
  const gone = await tasks.destroy(ids, { allowRecursive: true });
  checks.that(gone.length === ids.length && gone.every((row) => row.success), 'an array is deleted');
}

async function upsert(lab, checks) {
  const connection = await signedIn(lab, lab.people[0]);
  const tasks = connection.sobject('Task');
  const one = await tasks.upsert({ Holdfast_Key__c: 'jsforce 1 ž', Subject: 'one' }, 'Holdfast_Key__c');
  const two = await tasks.upsert({ Holdfast_Key__c: 'jsforce 1 ž', Subject: 'two' }, 'Holdfast_Key__c');
  checks.equal([one.created, two.created], [true, false], 'an upsert makes once');
  const row = (number) => ({ attributes: { type: 'Task' }, Holdfast_Key__c: `jsforce-${number}`, Subject: 'row' });
  const body = { allOrNone: false, records: [row(1), row(2), { ...row(3), Subject: 'x'.repeat(300) }] };
  const path = `/services/data/v${VERSION}/composite/sobjects/Task/Holdfast_Key__c`;
  const first = await connection.requestPatch(path, body);
  checks.equal(first.map((result) => result.success), [true, true, false], 'an upserted array with one bad row');
  const ids = [two.id || one.id, ...first.filter((result) => result.success).map((result) => result.id)];
  await tasks.destroy(ids);
}

async function queries(lab, checks) {
  const connection = await signedIn(lab, lab.people[0]);
  const count = await connection.query('SELECT COUNT() FROM Contact');
  const all = await connection
    .query('SELECT Id, Name, Account.Name FROM Contact')
    .run({ autoFetch: true, maxFetch: 100000 });
  const rows = Array.isArray(all) ? all : all.records;
  checks.equal(rows.length, count.totalSize, 'all pages together');
  const failure = await checks.rejects(() => connection.query('SELECT Nonsense FROM Contact'), 'an unknown field');
  checks.equal(failure && failure.errorCode, 'INVALID_FIELD', 'the code for an unknown field');
  const events = await connection
    .sobject('Event')
    .find({ OwnerId: lab.people[0].sf_user_id }, 'Id, Subject, StartDateTime')
    .sort({ StartDateTime: -1 })
    .limit(5);
  checks.that(events.length > 0, 'the person has events');
  const starts = events.map((event) => event.StartDateTime);
  checks.equal(starts, [...starts].sort().reverse(), 'in the order asked for');
}

async function descriptions(lab, checks) {
  const connection = await signedIn(lab, lab.people[0]);
  const global = await connection.describeGlobal();
  checks.that(global.sobjects.some((object) => object.name === 'EmailMessage'), 'the org has e-mail messages');
  const event = await connection.describe('Event');
  const key = event.fields.find((field) => field.name === 'Holdfast_Key__c');
  checks.that(key && key.externalId && key.unique, 'the key field is a unique external id');
  const limits = await connection.limits();
  checks.that(limits.DailyApiRequests.Max > 0, 'the limits have a maximum');
  checks.that(connection.limitInfo.apiUsage.used > 0, 'answers tell how much is used');
  const versions = await connection.request('/services/data');
  checks.that(versions.some((entry) => entry.version === VERSION), `the server speaks version ${VERSION}`);
}

async function changes(lab, checks) {
  const connection = await signedIn(lab, lab.people[0]);
  const tasks = connection.sobject('Task');
  const made = await tasks.create({ Subject: 'Jsforce changes' });
  const [from, to] = [new Date(Date.now() - 3600e3), new Date(Date.now() + 120e3)];
  checks.that((await tasks.updated(from, to)).ids.includes(made.id), 'a new record is among the updated');
  await tasks.destroy(made.id);
  const deleted = (await tasks.deleted(from, to)).deletedRecords;
  checks.that(deleted.some((row) => row.id === made.id), 'a deleted one among the deleted');
}

async function composite(lab, checks) {
  const connection = await signedIn(lab, lab.people[0]);
  const base = `/services/data/v${VERSION}`;
  const answer = await connection.requestPost(`${base}/composite`, {
    allOrNone: true,
    compositeRequest: [
      { method: 'POST', url: `${base}/sobjects/Contact`, referenceId: 'a', body: { LastName: 'C' } },
      { method: 'POST', url: `${base}/sobjects/Contact`, referenceId: 'b', body: {} },
    ],
  });
  const statuses = answer.compositeResponse.map((step) => step.httpStatusCode);
  checks.equal(statuses, [400, 400], 'all or none with a bad second step');
}

main([signIn, refresh, records, arrays, upsert, queries, descriptions, changes, composite]);
