import {
  audit,
  boolean,
  datetime,
  id,
  int,
  isDeleted,
  picklist,
  reference,
  required,
  string,
  system,
  textarea,
} from '../declaration.ts';
import { instant, type SampleObject, serial, setupTraits } from '../sample.ts';
import { torture } from '../torture.ts';
import { sentence } from '../words.ts';

const articles = 30;
const article: SampleObject = {
  declaration: {
    name: 'Knowledge__ka',
    prefix: 'kA0',
    label: 'Knowledge Article',
    more: { ...setupTraits, createable: false },
    fields: [id('Id'), isDeleted, string('ArticleNumber', 40, { nameField: true, ...system }), ...audit],
  },
  count: articles,
  treatment: { noRecycleBin: true },
  row: (number) => ({ ArticleNumber: serial(number) }),
};

/** Five of an article: version 1 and 2 archived, 3 online or archived, in two languages 3 and, of some, a draft. */
const versions = 5;
function versionOf(number: number) {
  const place = number % versions;
  const of = Math.floor(number / versions);
  const retired = of % 5 === 4;
  return [
    { version: 1, status: 'Archived', latest: false, language: 'en_US' },
    { version: 2, status: 'Archived', latest: false, language: 'en_US' },
    { version: 3, status: retired ? 'Archived' : 'Online', latest: true, language: 'en_US' },
    { version: 1, status: retired ? 'Archived' : 'Online', latest: true, language: 'de' },
    { version: 4, status: 'Draft', latest: true, language: 'fr' },
  ][place]!;
}

const articleVersion: SampleObject = {
  declaration: {
    name: 'Knowledge__kav',
    prefix: 'ka0',
    label: 'Knowledge',
    more: { undeletable: false },
    fields: [
      id('Id'),
      isDeleted,
      reference('KnowledgeArticleId', 'Knowledge__ka', { ...system, relationshipName: 'KnowledgeArticle' }),
      string('Title', 255, { ...required, nameField: true }),
      string('UrlName', 255, required),
      textarea('Summary', 1000, { filterable: true }),
      picklist('PublishStatus', ['Archived', 'Draft', 'Online'], { ...system, length: 40 }),
      int('VersionNumber', system),
      boolean('IsLatestVersion', system),
      picklist('Language', ['de', 'en_US', 'fr'], { ...required, length: 40 }),
      datetime('LastPublishedDate', system),
      ...audit,
      textarea('Answer__c', 131072, { custom: true, htmlFormatted: true, extraTypeInfo: 'richtextarea' }),
    ],
  },
  count: articles * versions,
  treatment: { archivedVersions: true, noRecycleBin: true },
  row: (number, org, random) => {
    const { version, status, latest, language } = versionOf(number);
    return {
      KnowledgeArticleId: org.id('Knowledge__ka', Math.floor(number / versions)),
      Title: sentence(random, 5),
      UrlName: `article-${number}`,
      Summary: number < torture.length ? torture[number]! : null,
      PublishStatus: status,
      VersionNumber: version,
      IsLatestVersion: latest,
      Language: language,
      LastPublishedDate: status === 'Draft' ? null : instant(org.now - number * 3_600_000),
      Answer__c: `<p>${sentence(random, 30)}</p>`,
    };
  },
};

export const knowledgeObjects: readonly SampleObject[] = [article, articleVersion];
