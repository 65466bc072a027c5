import type { SampleObject } from '../sample.ts';
import { accountContactRelation } from './account-contact-relations.ts';
import { accountObjects } from './accounts.ts';
import { activityObjects } from './activities.ts';
import { campaignObjects } from './campaigns.ts';
import { withCurrency } from './currencies.ts';
import { customObjects } from './custom.ts';
import { everything } from './everything.ts';
import { fileObjects } from './files.ts';
import { oddObjects } from './oddities.ts';
import { opportunityObjects } from './opportunities.ts';
import { productObjects } from './products.ts';
import { rareObjects } from './rare.ts';
import { serviceObjects } from './service.ts';
import { setupObjects } from './setup.ts';

/** All objects of the sample org, in the order of describeGlobal. */
export function sampleObjects(options: { personAccounts: boolean; everyKind: boolean }): SampleObject[] {
  const objects = [
    ...accountObjects(options),
    accountContactRelation,
    ...opportunityObjects,
    ...campaignObjects,
    ...productObjects,
    ...serviceObjects,
    ...activityObjects,
    ...fileObjects,
    ...customObjects,
    everything,
    ...oddObjects,
    ...setupObjects,
    ...(options.everyKind ? rareObjects : []),
  ];
  return (options.everyKind ? objects.map(withCurrency) : objects).sort((a, b) =>
    a.declaration.name < b.declaration.name ? -1 : 1,
  );
}
