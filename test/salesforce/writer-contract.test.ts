import type { Endpoint } from '../../src/practice-org/endpoints.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { startPracticeOrg } from '../../src/practice-org/server.ts';
import { connect } from '../../src/salesforce/connect.ts';
import { type Losable, writerContract } from '../contracts/writer.ts';
import { noWaits, testContext } from './scripted-org.ts';

const endpoints: Readonly<Record<Losable, Endpoint>> = {
  insert: 'collections.create',
  update: 'collections.update',
  upsert: 'collections.upsert',
  delete: 'collections.delete',
  undelete: 'soap',
  insertFile: 'record.create',
  'ingest.create': 'ingest.create',
  'ingest.upload': 'ingest.upload',
  'ingest.close': 'ingest.close',
};

writerContract('a client of the practice org', async () => {
  const practice = await startPracticeOrg(sampleDatabase());
  const login = { kind: 'token', accessToken: practice.accessToken, instanceUrl: practice.url } as const;
  const org = await connect(testContext(), login, noWaits());
  return {
    org,
    lose: (request, when) =>
      practice.failNext(endpoints[request], { name: when === 'done' ? 'commit-then-drop' : 'drop-before-commit' }),
    close: async () => {
      await org.close();
      await practice.close();
    },
  };
});
