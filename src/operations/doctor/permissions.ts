import { type Finding, findingsOf } from './finding.ts';
import type { Sight } from './org.ts';

const { ok, warn, bad } = findingsOf('permissions');

const inSetup = 'in a permission set of the backup user';

/** What the user may do, and what is missing without an error where it may not (field guide, extract 1.8). */
export function permissionFindings({ permissions, selection, hiddenBy }: Sight): Finding[] {
  const masked = hiddenBy.some((reason) => reason.includes('View Encrypted Data'));
  const encrypted = masked || hiddenEncrypted(selection);
  return [
    ok('api-enabled', 'the org answers this user over its API'),
    permissions.viewAllData
      ? ok('view-all-data', 'the user has View All Data')
      : bad(
          'view-all-data',
          'the user lacks View All Data: sharing rules hide rows, and every point is partial',
          `give View All Data ${inSetup}`,
        ),
    permissions.queryAllFiles
      ? ok('query-all-files', 'the user has Query All Files')
      : bad(
          'query-all-files',
          "the user lacks Query All Files: other users' files are hidden, and points are partial",
          `give Query All Files ${inSetup} (it needs View All Data)`,
        ),
    permissions.viewEncryptedData
      ? ok('view-encrypted-data', 'the user has View Encrypted Data')
      : encrypted
        ? bad(
            'view-encrypted-data',
            'the user lacks View Encrypted Data: values of encrypted fields come masked, and points are partial',
            `give View Encrypted Data ${inSetup}`,
          )
        : ok('view-encrypted-data', 'the user lacks View Encrypted Data, and no field is encrypted'),
    permissions.viewSetup
      ? ok('view-setup', 'the user has View Setup and Configuration')
      : warn(
          'view-setup',
          'the user lacks View Setup and Configuration: the org does not tell how many rows it has, and previews guess',
          `give View Setup and Configuration ${inSetup}`,
        ),
  ];
}

function hiddenEncrypted({ chosen }: Sight['selection']): boolean {
  return chosen.some(({ describe }) => describe.fields.some(({ type }) => type === 'encryptedstring'));
}
