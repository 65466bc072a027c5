import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { sampleDatabase } from '../../../src/practice-org/generate.ts';
import { ApplyRig, planned } from '../../support/apply-rig.ts';
import { parseQuotedCsv } from '../../support/foreign-csv.ts';
import type { OrgRequests } from '../../support/org-snapshot.ts';

const objects = ['Account', 'Attachment', 'ContentDocument', 'ContentVersion', 'ContentDocumentLink'];
const database = sampleDatabase({
  scale: { Account: 3, Contact: 3, Attachment: 1, ContentDocument: 1, ContentVersion: 1, ContentDocumentLink: 1 },
});

const large = Buffer.alloc(5_000_000, 'large file ');

async function upload(requests: OrgRequests, fields: Record<string, string>, bytes: Buffer): Promise<string> {
  const [id] = await requests.create('ContentVersion', [{ ...fields, VersionData: bytes.toString('base64') }]);
  return id!;
}

async function make(requests: OrgRequests) {
  const [account] = await requests.create('Account', [{ Name: 'With files' }]);
  const first = await upload(requests, { Title: 'Contract', PathOnClient: 'contract.txt' }, Buffer.from('first'));
  const [{ ContentDocumentId: document }] = (await requests.query(
    `SELECT ContentDocumentId FROM ContentVersion WHERE Id = '${first}'`,
  )) as [{ ContentDocumentId: string }];
  const second = await upload(
    requests,
    { Title: 'Contract', PathOnClient: 'contract.txt', ContentDocumentId: document },
    large,
  );
  const [link] = await requests.create('ContentDocumentLink', [
    { ContentDocumentId: document, LinkedEntityId: account!, ShareType: 'V', Visibility: 'AllUsers' },
  ]);
  const links = await requests.query(`SELECT Id FROM ContentDocumentLink WHERE ContentDocumentId = '${document}'`);
  const [attachment] = await requests.create('Attachment', [
    { Name: 'note.txt', ParentId: account!, Body: Buffer.from('attached').toString('base64') },
  ]);
  return {
    account: account!,
    versions: [first, second],
    document,
    links: links.map(({ Id }) => String(Id)),
    link: link!,
    attachment: attachment!,
  };
}

describe('files', () => {
  test('come back with their bytes, versions in order, links and attachments', async () => {
    let made: Awaited<ReturnType<typeof make>> | undefined;
    await using rig = await ApplyRig.start(database, objects, {
      prepare: async (requests) => {
        made = await make(requests);
      },
    });
    const { account, versions, document, links, attachment } = made!;
    const lost = [attachment, document, account];
    await rig.requests.delete(lost);
    await rig.requests.emptyRecycleBin(lost);
    const result = await rig.apply(
      await rig.plan(
        {
          Account: [planned(account)],
          ContentDocument: [planned(document, { made: true })],
          // Newer versions first: the order of the plan is none of the versions'.
          ContentVersion: versions
            .toReversed()
            .map((id) => planned(id, { without: ['ContentBodyId', 'FirstPublishLocationId'] })),
          ContentDocumentLink: links.map((id) => planned(id)),
          Attachment: [planned(attachment)],
        },
        { keys: { ContentDocumentLink: [['ContentDocumentId', 'LinkedEntityId']] } },
      ),
      { options: { folder: rig.folder } },
    );
    assert.deepEqual([result.failed, result.stopped], [[], undefined]);
    const [, ...rows] = parseQuotedCsv(await readFile(result.idMapFile!, 'utf8'));
    const ids = new Map(rows.map(([, id, target]) => [id!, target!]));
    const now = await rig.requests.query(
      `SELECT Id, VersionNumber, IsLatest FROM ContentVersion WHERE ContentDocumentId = '${ids.get(document)}' ORDER BY VersionNumber`,
    );
    assert.deepEqual(now, [
      { Id: ids.get(versions[0]!), VersionNumber: '1', IsLatest: false },
      { Id: ids.get(versions[1]!), VersionNumber: '2', IsLatest: true },
    ]);
    const bytes = async (object: string, id: string, field: string) => {
      const answer = await rig.requests.send('GET', `/services/data/v67.0/sobjects/${object}/${id}/${field}`);
      return Buffer.from(await answer.arrayBuffer());
    };
    assert.equal((await bytes('ContentVersion', ids.get(versions[0]!)!, 'VersionData')).toString(), 'first');
    assert.ok((await bytes('ContentVersion', ids.get(versions[1]!)!, 'VersionData')).equals(large));
    assert.equal((await bytes('Attachment', ids.get(attachment)!, 'Body')).toString(), 'attached');
    const linked = await rig.requests.query(
      `SELECT LinkedEntityId, ShareType, Visibility FROM ContentDocumentLink WHERE ContentDocumentId = '${ids.get(document)}'`,
    );
    assert.equal(linked.length, links.length);
    assert.deepEqual(
      linked.filter(({ LinkedEntityId }) => LinkedEntityId === ids.get(account)),
      [{ LinkedEntityId: ids.get(account), ShareType: 'V', Visibility: 'AllUsers' }],
    );
    assert.equal(result.done.ContentDocumentLink?.failed, 0);
  });

  test('whose answer was lost are looked up, and not sent twice', async () => {
    let made: Awaited<ReturnType<typeof make>> | undefined;
    await using rig = await ApplyRig.start(database, objects, {
      prepare: async (requests) => {
        made = await make(requests);
      },
    });
    const { versions, document } = made!;
    await rig.requests.delete([document]);
    await rig.requests.emptyRecycleBin([document]);
    // Reading what happened meanwhile must not take what was made before for it.
    rig.process.org.settings.clockSkew = 60_000;
    rig.process.org.failNext('record.create', { name: 'commit-then-drop' });
    const result = await rig.apply(
      await rig.plan({
        ContentDocument: [planned(document, { made: true })],
        ContentVersion: versions.map((id) => planned(id, { without: ['ContentBodyId', 'FirstPublishLocationId'] })),
      }),
      { options: { folder: rig.folder } },
    );
    assert.deepEqual([result.failed, result.stopped], [[], undefined]);
    const now = await rig.requests.query("SELECT Id FROM ContentVersion WHERE Title = 'Contract'");
    assert.equal(now.length, 2);
    assert.equal((await rig.requests.query("SELECT Id FROM ContentDocument WHERE Title = 'Contract'")).length, 1);
  });
});
