import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { assertOurs } from '../../../src/operations/copy/target.ts';
import { openStore } from '../../../src/store/open.ts';
import { AgedVault } from '../../support/aged-vault.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { startS3Server } from '../../support/s3-server.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'salvor-target-'));
after(() => rm(folder, { recursive: true, force: true }));
const vault = await (await AgedVault.of(new MemoryStore(), [])).open({});
const { signal } = new AbortController();
const look = async (url: string, options = {}) =>
  assertOurs(vault, await openStore(url, options), 'choose another', signal);

/** A new folder with these files in it; a name with a slash behind is a folder. */
async function holding(...names: string[]): Promise<string> {
  const place = await mkdtemp(path.join(folder, 'place-'));
  for (const name of names) {
    await mkdir(path.join(place, name.endsWith('/') ? name : path.dirname(name)), { recursive: true });
    if (!name.endsWith('/')) await writeFile(path.join(place, name), 'x');
  }
  return place;
}

test('a folder with a file of somebody, whatever its name, is no place for a copy', async () => {
  const names = [
    'notes.txt',
    'My Report.docx',
    'a+b.txt',
    'ä.txt',
    '~lock',
    '.hidden',
    'name with space/a b',
    '.git/x',
  ];
  for (const name of [...names, 'points/.hidden', 'con'])
    await assert.rejects(look(await holding(name)), (error: Error) => {
      assert.deepEqual([error.name, error.message.includes(name)], ['foreign-vault', true], `${name}: ${error}`);
      return true;
    });
  const linked = await holding();
  await symlink('nowhere', path.join(linked, 'trust'));
  await assert.rejects(look(linked), { name: 'foreign-vault', message: /holds "trust"/ });
});

test('an empty place is one, with folders in it and with what systems and our own store leave behind', async () => {
  const ofSystems = ['.DS_Store', '._.DS_Store', 'lost+found/x', '.Trash-1000/files/x', 'desktop.ini', '.nfs00000a1'];
  const ours = [
    '.tmp-0123456789abcdef',
    'trust/.tmp-0123456789abcdef.claim/x',
    '.claim-vault.json/x',
    'probe/x/created',
  ];
  await look(await holding(...ofSystems, ...ours, 'empty/', 'empty too/inside/'));
  await look(path.join(folder, 'not', 'yet'));
});

test('a file is no place for a copy, nor is what would lie in it', async () => {
  const place = await holding('file');
  for (const name of ['file', 'file/copy'])
    await assert.rejects(look(path.join(place, name)), { name: 'usage', exit: 2, message: /is no folder, or lies in/ });
});

test('a bucket with an object of somebody, whatever its name, is no place for a copy; a folder made by a console is', async (t) => {
  const server = await startS3Server();
  t.after(() => server.close());
  const url = (place: string) => `s3://${server.bucket}/${place}?endpoint=${encodeURIComponent(server.url)}`;
  const put = async (key: string, body: string) => {
    const { S3Client, PutObjectCommand } = await import('@aws-sdk/client-s3');
    const client = new S3Client({
      region: 'us-east-1',
      endpoint: server.url,
      credentials: server,
      forcePathStyle: true,
    });
    await client.send(
      new PutObjectCommand({ Bucket: server.bucket, Key: key, Body: Buffer.from(body), IfNoneMatch: '*' }),
    );
    client.destroy();
  };
  await put('console/', '');
  await put('console/inside/', '');
  await look(url('console'), { credentials: server });
  await put('shared/My Report.docx', 'x');
  await assert.rejects(look(url('shared'), { credentials: server }), { message: /holds "My Report.docx", and not/ });
});
