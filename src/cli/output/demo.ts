import type { BackupResult } from '../../operations/backup/backup.ts';
import type { PointListed } from '../../operations/points.ts';
import type { VerifyResult } from '../../operations/verify/request.ts';
import type { ByHand } from '../commands/demo.ts';
import { bytes, count, countOf } from './figures.ts';
import type { Paint } from './paint.ts';
import { notCoveredText, pointsText } from './point.ts';

const shownObjects = 12;
const lineWidth = 110;

export function demoText(
  tour: {
    folder: string;
    points: readonly PointListed[];
    taken: BackupResult;
    verified: VerifyResult;
    byHand: ByHand | undefined;
    took: string;
  },
  paint: Paint,
): string {
  const { point } = tour.taken;
  const largest = [...point.objects].sort((a, b) => b.rows - a.rows).slice(0, shownObjects);
  const withoutNext = (text: string) =>
    text
      .split('\n')
      .filter((line) => !line.includes('next:'))
      .join('\n');
  return [
    '',
    paint.strong('what the vault holds'),
    withoutNext(pointsText(tour.points, paint)),
    '',
    paint.strong(`what is in the point`),
    paint.table(largest, [
      { title: 'object', value: ({ object }) => object },
      { title: 'rows', value: ({ rows }) => count(rows), right: true },
      { title: 'deleted', value: ({ deleted }) => count(deleted), right: true },
      { title: 'stored', value: (object) => bytes(object.bytes), right: true },
      { title: 'path', value: ({ path }) => path },
    ]),
    `and ${point.objects.length - largest.length} more: ${countOf(point.rows, 'row')}, ${countOf(point.files.count, 'file')} (${bytes(point.files.bytes)}), ${countOf(point.apiCalls, 'API call')}`,
    ...notCoveredText(point.notCovered, paint),
    '',
    `${tour.verified.ok ? paint.good('proven whole') : paint.bad('NOT WHOLE')}, rung by rung, as above; the result is kept in the vault, signed`,
    '',
    ...byHandText(tour, paint),
    paint.strong(`done in ${tour.took}; it all stays in ${tour.folder}`),
    `  ${paint.strong(`cd ${tour.folder}`)}`,
    `  ${paint.strong('salvor show latest Account --limit 3 --json')}   ${paint.faint('rows, with the identity')}`,
    `  ${paint.strong('salvor verify')}                                 ${paint.faint('prove it again')}`,
    `  ${paint.strong('salvor keys list')}                              ${paint.faint('who can open it')}`,
    `  ${paint.strong('less vault/README.txt')}                         ${paint.faint('how to read it without salvor')}`,
    paint.next('salvor init --vault s3://your-bucket/salvor', 'a vault for your own org'),
  ].join('\n');
}

function byHandText({ byHand, folder }: { byHand: ByHand | undefined; folder: string }, paint: Paint): string[] {
  if (!byHand) return [paint.faint('install age and zstd to open a segment by hand; vault/README.txt says how'), ''];
  const cut = (line: string) => (line.length > lineWidth ? `${line.slice(0, lineWidth)}…` : line);
  return [
    paint.strong('opened by hand, with age and zstd and nothing of salvor'),
    paint.faint(`in ${folder}: ${byHand.command}`),
    ...byHand.lines.map((line) => paint.printable(cut(line))),
    '',
  ];
}
