import { openStore } from '../../src/store/open.ts';
import { storeContract } from '../contracts/store.ts';
import { startS3Server } from '../support/s3-server.ts';

for (const checksums of ['when_supported', 'when_required']) {
  storeContract(`S3 on the strict server with checksums ${checksums}`, async () => {
    const server = await startS3Server();
    const url = `s3://${server.bucket}/a/vault?endpoint=${server.url}&checksums=${checksums}`;
    const store = await openStore(url, { credentials: server });
    return {
      store,
      async close() {
        await store.close();
        await server.close();
      },
    };
  });
}
