import type { Session } from '../sessions.ts';
import type { OrgState } from '../state.ts';
import { usernameOf, userOf } from '../users.ts';
import type { XmlElements } from './xml.ts';

/** getUserInfo(): who is logged in, and to which org. */
export function userInfo(state: OrgState, { userId }: Session): XmlElements {
  const { database, schema, settings } = state;
  const { organizationId, organizationName } = database.facts;
  const user = userOf(state, userId);
  const username = usernameOf(state, userId);
  return {
    accessibilityMode: false,
    chatterExternal: false,
    currencySymbol: null,
    orgAttachmentFileSizeLimit: 26_214_400,
    orgDefaultCurrencyIsoCode: null,
    orgDefaultCurrencyLocale: null,
    orgDisallowHtmlAttachments: false,
    orgHasPersonAccounts: schema.object('Account')?.field('IsPersonAccount') !== undefined,
    organizationId,
    organizationMultiCurrency: schema.object('CurrencyType') !== undefined,
    organizationName,
    profileId: user.ProfileId ?? null,
    roleId: user.UserRoleId ?? null,
    sessionSecondsValid: Number.isFinite(settings.sessionSeconds) ? settings.sessionSeconds : 7200,
    userDefaultCurrencyIsoCode: null,
    userEmail: user.Email ?? username,
    userFullName: user.Name ?? username,
    userId,
    userLanguage: 'en_US',
    userLocale: 'en_US',
    userName: username,
    userTimeZone: 'GMT',
    userType: 'Standard',
    userUiSkin: 'Theme3',
  };
}
