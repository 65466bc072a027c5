import { isFault } from '../../../src/errors.ts';
import { deleteRecords, writtenFrom } from '../../../src/salesforce/collections.ts';
import { composite } from '../../../src/salesforce/composite.ts';
import { faultOf, isExpiredSession, limitReached, Refusal, readRefusal } from '../../../src/salesforce/faults.ts';
import { Http, type Request } from '../../../src/salesforce/http.ts';
import { readLimits } from '../../../src/salesforce/limits.ts';
import { requestToken } from '../../../src/salesforce/oauth.ts';
import { cellOf, parseQueryPage, parseWithSources } from '../../../src/salesforce/rest-json.ts';
import { undeleteRecords } from '../../../src/salesforce/undelete.ts';
import { Usage } from '../../../src/salesforce/usage.ts';
import type { Wire } from '../../../src/salesforce/wire.ts';
import { decodeText, elements, elementText } from '../../../src/salesforce/xml.ts';
import type { Parser } from '../parser.ts';

const signal = new AbortController().signal;
const ctx = { signal, report() {}, now: () => new Date(), tempDir: '' };

/** An org that answers everything with these bytes and status 200, once. */
class OneAnswer extends Http {
  readonly #text: string;

  constructor(text: string) {
    super(ctx, { usage: new Usage(ctx) });
    this.#text = text;
  }

  override async read<T>(request: Request, parse: (text: string, status: number) => T): Promise<T> {
    try {
      return parse(this.#text, 200);
    } catch (error) {
      if (error instanceof Refusal) throw faultOf(error, request.what);
      throw error;
    }
  }
}

const answered = (bytes: Buffer): Wire => ({
  ctx,
  http: new OneAnswer(bytes.toString()),
  instanceUrl: 'https://example.my.salesforce.com',
  root: '/services/data/v67.0',
});
const ids = ['0015e00000AbCdEAAV'];
const anyFault = (error: unknown) => isFault(error);
const undeleted =
  '<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><undeleteResponse><result><errors><message>no &amp; no</message><statusCode>UNDELETE_FAILED</statusCode><fields>Name</fields></errors><id>0015e00000AbCdEAAV</id><success>false</success></result></undeleteResponse></soapenv:Body></soapenv:Envelope>';

export const parser: Parser = {
  sources: ['src/salesforce', 'src/errors.ts'],
  words: [
    ...[
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      'null',
      'true',
      'false',
      '1.50',
      '1e999',
      '""',
      '"__proto__"',
      '{"toString":1}',
      '[null]',
    ],
    ...[
      '"records":',
      '"done":',
      '"totalSize":',
      '"errors":',
      '"fields":',
      '"success":',
      '"id":"0015e00000AbCdEAAV"',
      '"message":',
    ],
    ...[
      '"errorCode":',
      '"compositeResponse":',
      '"httpStatusCode":',
      '"referenceId":"r0"',
      '"body":',
      '"access_token":',
      '"instance_url":',
    ],
    ...[
      '<',
      '</',
      '/>',
      '>',
      '&#x',
      '&#',
      ';',
      '&amp;',
      '110000',
      '<a:',
      'faultcode',
      '<faultstring>',
      'result',
      'success',
      '<id>',
      '\n',
    ],
  ],
  ways: {
    'query-page': {
      seeds: [
        '{"totalSize":1,"done":true,"records":[{"attributes":{"type":"Account"},"Id":"001","Amount":1.50,"Deep":{"a":[1]}}]}',
        '{"totalSize":"5","done":false,"nextRecordsUrl":"/services/data/v67.0/query/0r8-2000","records":[]}',
      ],
      run(bytes) {
        const page = parseQueryPage(bytes.toString());
        for (const record of page.records) for (const value of Object.values(record ?? {})) cellOf(value, 'datetime');
        return page.records.length;
      },
      foreseen: (error) => error instanceof SyntaxError,
    },
    composite: {
      seeds: [
        '{"compositeResponse":[{"body":{"totalSize":0,"done":true,"records":[]},"httpStatusCode":200,"referenceId":"r0"}]}',
      ],
      run: async (bytes) => (await composite(answered(bytes), ['/a'], 'a composite', parseWithSources))?.length,
      foreseen: anyFault,
    },
    written: {
      seeds: [
        '[{"id":"0015e00000AbCdEAAV","success":true,"errors":[]}]',
        '[{"success":false,"errors":[{"statusCode":"X","message":"no","fields":["Name"]}]}]',
      ],
      async run(bytes) {
        const [one] = await deleteRecords(answered(bytes), ids);
        return one?.errors.length;
      },
      foreseen: anyFault,
    },
    'one-written': {
      seeds: ['{"id":"0015e00000AbCdEAAV","success":true,"created":true,"errors":[]}', '{"success":false,"errors":[]}'],
      run: (bytes) => writtenFrom(JSON.parse(bytes.toString())).errors.length,
      foreseen: (error) => error instanceof SyntaxError,
    },
    refusal: {
      seeds: [
        '[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID","fields":[]}]',
        '{"error":"invalid_grant","error_description":"authentication failure"}',
        '<Envelope><Body><soapenv:Fault><faultcode>sf:X</faultcode><faultstring>X: no</faultstring></soapenv:Fault></Body></Envelope>',
        '<html>maintenance</html>',
      ],
      run(bytes) {
        for (const status of [200, 302, 400, 401, 500, 503]) {
          const refusal = readRefusal(status, bytes.toString());
          isExpiredSession(refusal);
          limitReached(refusal);
          faultOf(refusal, 'a request', ['a secret']);
        }
      },
      foreseen: () => false,
    },
    token: {
      seeds: [
        '{"access_token":"00D!x","instance_url":"https://example.my.salesforce.com","id":"https://login.salesforce.com/id/00D/005","refresh_token":"r"}',
      ],
      run: async (bytes) =>
        Object.keys(await requestToken(answered(bytes).http, 'https://login.salesforce.com', { code: 'c' })).length,
      foreseen: anyFault,
    },
    limits: {
      seeds: ['{"DailyApiRequests":{"Max":100,"Remaining":5},"DataStorageMB":{"Max":1,"Remaining":1}}'],
      run: async (bytes) => Object.keys(await readLimits(answered(bytes))).length,
      foreseen: anyFault,
    },
    undelete: {
      seeds: [undeleted],
      run: async (bytes) => (await undeleteRecords(answered(bytes), ids))[0]?.errors.length,
      foreseen: anyFault,
    },
    xml: {
      seeds: ['<a:result x="1"><id/>a&lt;&#x41;&#65;</a:result>', undeleted],
      run(bytes) {
        const text = bytes.toString();
        elementText(text, 'id');
        decodeText(text);
        return elements(text, 'result').length;
      },
      foreseen: () => false,
    },
  },
};
