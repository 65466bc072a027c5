import {
  boolean,
  createdById,
  createdDate,
  datetime,
  id,
  int,
  isDeleted,
  picklist,
  reference,
  required,
  string,
  system,
  systemModstamp,
  textarea,
} from '../declaration.ts';
import { type SampleObject, setupTraits } from '../sample.ts';
import { torture } from '../torture.ts';

const feedItem: SampleObject = {
  declaration: {
    name: 'FeedItem',
    prefix: '0D5',
    label: 'Feed Item',
    more: { layoutable: false, undeletable: false },
    fields: [
      id('Id'),
      reference('ParentId', ['Account', 'Case', 'User'], {
        ...required,
        updateable: false,
        relationshipName: 'Parent',
      }),
      picklist('Type', ['TextPost', 'ContentPost', 'TrackedChange'], { length: 40 }),
      textarea('Body', 10000),
      string('Title', 255),
      boolean('IsRichText'),
      int('CommentCount', system),
      createdDate,
      createdById,
      systemModstamp,
      datetime('LastModifiedDate', system),
      isDeleted,
    ],
  },
  count: 80,
  row: (number, org) => ({
    ParentId: org.live(['Account', 'Case', 'User'][number % 3]!, number % 20),
    Type: number % 9 === 8 ? 'TrackedChange' : 'TextPost',
    Body: number < torture.length ? torture[number]! : `Post ${number}`,
    CommentCount: 2,
  }),
};

const feedComment: SampleObject = {
  declaration: {
    name: 'FeedComment',
    prefix: '0D7',
    label: 'Feed Comment',
    more: { layoutable: false, undeletable: false },
    fields: [
      id('Id'),
      reference('FeedItemId', 'FeedItem', {
        ...required,
        updateable: false,
        children: 'FeedComments',
        parentCascades: true,
      }),
      reference('ParentId', ['Account', 'Case', 'User'], { ...system, relationshipName: 'Parent' }),
      textarea('CommentBody', 10000),
      createdDate,
      createdById,
      systemModstamp,
      isDeleted,
    ],
  },
  count: 160,
  row: (number, org) => ({
    FeedItemId: org.id('FeedItem', number >> 1),
    ParentId: org.live(['Account', 'Case', 'User'][(number >> 1) % 3]!, (number >> 1) % 20),
    CommentBody: torture[number % torture.length]!,
  }),
};

/** A view of FeedItem, which Bulk refuses. */
const accountFeed: SampleObject = {
  declaration: {
    name: 'AccountFeed',
    prefix: '0D6',
    label: 'Account Feed',
    more: { ...setupTraits, createable: false, updateable: false },
    fields: [
      id('Id'),
      reference('ParentId', 'Account', { ...system, children: 'Feeds' }),
      picklist('Type', ['TextPost'], { length: 40 }),
      textarea('Body', 10000),
      createdDate,
      createdById,
      systemModstamp,
      isDeleted,
    ],
  },
  count: 25,
  treatment: { bulkRefused: true },
  row: (number, org) => ({ ParentId: org.live('Account', number), Type: 'TextPost', Body: torture[number]! }),
};

export const feedObjects: readonly SampleObject[] = [feedItem, feedComment, accountFeed];
