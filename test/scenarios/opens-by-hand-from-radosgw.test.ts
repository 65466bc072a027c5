import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { assertReadByHand, database, filled } from '../support/by-hand.ts';
import { asFolder, foreignPrograms } from '../support/foreign-reader.ts';
import { type Radosgw, startRadosgw, withoutRadosgw } from '../support/radosgw.ts';
import { Rig } from '../support/rig.ts';
import { without } from '../support/tools.ts';

describe('on radosgw', { skip: without(...foreignPrograms) || withoutRadosgw() }, () => {
  let gateway: Radosgw;
  before(async () => {
    gateway = await startRadosgw();
  });
  after(async () => await gateway?.close());

  test('the commands of README.txt read a vault that was downloaded from radosgw', async () => {
    const bucket = await gateway.makeBucket();
    const env = { AWS_ACCESS_KEY_ID: gateway.accessKeyId, AWS_SECRET_ACCESS_KEY: gateway.secretAccessKey };
    const vault = `s3://${bucket}/prod?endpoint=${gateway.url}&region=us-east-1`;
    await using rig = await Rig.start({ database, vault, env });
    const facts = await filled(rig);
    const folder = asFolder(path.join(rig.folder, 'download'), await download(gateway, bucket), 'prod/');
    assertReadByHand(folder, facts);
  });
});

async function download(gateway: Radosgw, Bucket: string): Promise<Map<string, Buffer>> {
  const client = new S3Client({
    endpoint: gateway.url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: gateway,
  });
  const objects = new Map<string, Buffer>();
  for await (const { Contents } of paginateListObjectsV2({ client }, { Bucket })) {
    for (const { Key } of Contents ?? []) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      objects.set(Key!, Buffer.from(await Body!.transformToByteArray()));
    }
  }
  client.destroy();
  return objects;
}
