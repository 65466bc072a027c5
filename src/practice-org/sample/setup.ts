import {
  addressOf,
  audit,
  boolean,
  datetime,
  email,
  id,
  phone,
  picklist,
  reference,
  required,
  string,
  system,
  systemModstamp,
  textarea,
} from '../declaration.ts';
import { instant, type SampleObject, serial, setupTraits } from '../sample.ts';
import { firstNames, lastNames, plainLetters } from '../words.ts';
import { addressCells } from './places.ts';

const profiles = ['System Administrator', 'Standard User', 'Read Only', 'Sales', 'Service', 'Backup'];
const roles = [
  'CEO',
  'VP Sales',
  'Sales EMEA',
  'Sales Americas',
  'VP Service',
  'Service Level 1',
  'Service Level 2',
  'Operations',
];
const roleParents = [-1, 0, 1, 1, 0, 4, 5, 0];
const userCount = 24;
/** Permissions that matter to a backup, and what else people look for. */
const permissions = [
  'PermissionsApiEnabled',
  'PermissionsModifyAllData',
  'PermissionsViewAllData',
  'PermissionsQueryAllFiles',
  'PermissionsViewEncryptedData',
  'PermissionsViewSetup',
  'PermissionsViewAllUsers',
  'PermissionsManageUsers',
  'PermissionsBulkApiHardDelete',
  'PermissionsEditTask',
  'PermissionsRunReports',
  'PermissionsAuthorApex',
];
const backupPermissions = new Set([
  'PermissionsApiEnabled',
  'PermissionsViewAllData',
  'PermissionsQueryAllFiles',
  'PermissionsViewEncryptedData',
  'PermissionsViewSetup',
]);

const permissionFields = permissions.map((name) => boolean(name, { permissionable: false, label: name.slice(11) }));

const organization: SampleObject = {
  declaration: {
    name: 'Organization',
    prefix: '00D',
    label: 'Organization',
    more: { ...setupTraits, createable: false, deletable: false },
    fields: [
      id('Id'),
      string('Name', 80, { ...required, nameField: true }),
      string('Division', 80),
      ...addressOf(''),
      phone('Phone'),
      string('PrimaryContact', 80),
      picklist('DefaultLocaleSidKey', ['en_US', 'de_CH'], { length: 40, restrictedPicklist: true }),
      picklist('TimeZoneSidKey', ['Europe/Zurich', 'America/Los_Angeles'], { length: 40, restrictedPicklist: true }),
      picklist('LanguageLocaleKey', ['en_US', 'de'], { length: 40, restrictedPicklist: true }),
      picklist('OrganizationType', ['Developer Edition', 'Enterprise Edition', 'Unlimited Edition'], system),
      string('InstanceName', 5, system),
      boolean('IsSandbox', system),
      boolean('IsReadOnly', system),
      datetime('TrialExpirationDate', system),
      string('NamespacePrefix', 15, system),
      ...audit,
    ],
  },
  count: 1,
  row: (_number, _org, random) => ({
    Name: 'Practice Org',
    ...addressCells(random, ''),
    PrimaryContact: 'Ada Lindqvist',
    DefaultLocaleSidKey: 'en_US',
    TimeZoneSidKey: 'Europe/Zurich',
    LanguageLocaleKey: 'en_US',
    OrganizationType: 'Developer Edition',
    InstanceName: 'PRA1',
    IsSandbox: true,
  }),
};

const user: SampleObject = {
  declaration: {
    name: 'User',
    prefix: '005',
    label: 'User',
    more: { undeletable: false, deletable: false },
    fields: [
      id('Id'),
      string('Username', 80, { ...required, unique: true, idLookup: true }),
      string('LastName', 80, { ...required, extraTypeInfo: 'personname', compoundFieldName: 'Name' }),
      string('FirstName', 40, { extraTypeInfo: 'personname', compoundFieldName: 'Name', permissionable: false }),
      string('Name', 121, { ...system, ...required, nameField: true, extraTypeInfo: 'personname' }),
      string('Title', 80),
      string('Department', 80),
      ...addressOf(''),
      email('Email', { ...required, length: 128, idLookup: true }),
      phone('Phone'),
      textarea('Signature', 1333, { filterable: true, aggregatable: true, sortable: true }),
      string('Alias', 8, required),
      string('CommunityNickname', 40, { ...required, unique: true }),
      boolean('IsActive'),
      picklist('TimeZoneSidKey', ['Europe/Zurich', 'America/Los_Angeles', 'Asia/Tokyo'], { ...required, length: 40 }),
      picklist('LocaleSidKey', ['en_US', 'de_CH', 'ja_JP'], { ...required, length: 40 }),
      picklist('EmailEncodingKey', ['UTF-8', 'ISO-8859-1'], { ...required, length: 40 }),
      picklist('LanguageLocaleKey', ['en_US', 'de', 'ja'], { ...required, length: 40 }),
      picklist('UserType', ['Standard', 'AutomatedProcess', 'Guest'], { ...system, length: 40 }),
      reference('ProfileId', 'Profile', { ...required, children: 'Users' }),
      reference('UserRoleId', 'UserRole', { children: 'Users' }),
      reference('ManagerId', 'User'),
      string('EmployeeNumber', 20),
      string('FederationIdentifier', 512, { unique: true, caseSensitive: true }),
      datetime('LastLoginDate', system),
      ...audit,
    ],
  },
  count: userCount,
  row: (number, org, random) => {
    const firstName = number === 0 ? 'Backup' : random.pick(firstNames);
    const lastName = number === 0 ? 'Service' : number === userCount - 1 ? 'Process' : random.pick(lastNames);
    const alias = `${plainLetters(firstName).slice(0, 2)}${plainLetters(lastName).slice(0, 4)}`;
    const tail = org.scaled('User') ? serial(number) : number;
    const address = number === 0 ? 'backup' : `${plainLetters(firstName)}.${plainLetters(lastName)}${tail}`;
    return {
      Username: `${address}@practice-org.example`,
      FirstName: firstName,
      LastName: lastName,
      Name: `${firstName} ${lastName}`,
      Title: number === 0 ? 'Integration' : random.pick(['Manager', 'Engineer', 'Representative', 'Analyst']),
      Department: random.pick(['Sales', 'Service', 'Finance', 'IT']),
      ...addressCells(random, ''),
      Email: `${address}@practice-org.example`,
      Phone: `+41 44 555 ${String(random.int(1000, 9999))}`,
      Signature: random.chance(30) ? `Kind regards\r\n${firstName} ${lastName}\r\n-- \r\nPractice Org` : null,
      Alias: alias.slice(0, 8),
      CommunityNickname: `${alias}${tail}`,
      // 5 left the company and still owns records.
      IsActive: number !== 5 && number !== 17,
      TimeZoneSidKey: random.pick(['Europe/Zurich', 'America/Los_Angeles', 'Asia/Tokyo']),
      LocaleSidKey: random.pick(['en_US', 'de_CH', 'ja_JP']),
      EmailEncodingKey: 'UTF-8',
      LanguageLocaleKey: random.pick(['en_US', 'de', 'ja']),
      UserType: number === userCount - 1 ? 'AutomatedProcess' : 'Standard',
      ProfileId: org.id('Profile', number === 0 ? 5 : number === 1 ? 0 : number % 5),
      UserRoleId: number === 0 ? null : org.id('UserRole', number % roles.length),
      ManagerId: number > 2 ? org.id('User', Math.floor(number / 3)) : null,
      EmployeeNumber: String(tail),
      FederationIdentifier: number % 3 === 0 ? `${address}@SSO.example` : null,
      LastLoginDate: random.chance(80) ? instant(org.now - random.int(1, 5_000_000) * 1000) : null,
    };
  },
};

const profile: SampleObject = {
  declaration: {
    name: 'Profile',
    prefix: '00e',
    label: 'Profile',
    more: setupTraits,
    fields: [
      id('Id'),
      string('Name', 255, { ...required, nameField: true }),
      ...permissionFields,
      picklist('UserType', ['Standard', 'Guest'], { ...system, length: 40 }),
      ...audit,
      string('Description', 255),
    ],
  },
  count: profiles.length,
  row: (number) => ({
    Name: profiles[number]!,
    ...(number === 0 && Object.fromEntries(permissions.map((name) => [name, true]))),
    PermissionsApiEnabled: number !== 2,
    UserType: 'Standard',
  }),
};

const userRole: SampleObject = {
  declaration: {
    name: 'UserRole',
    prefix: '00E',
    label: 'Role',
    more: setupTraits,
    fields: [
      id('Id'),
      string('Name', 80, { ...required, nameField: true }),
      string('DeveloperName', 80, { unique: true }),
      reference('ParentRoleId', 'UserRole', { children: 'Roles', relationshipName: null }),
      string('RollupDescription', 80),
      reference('LastModifiedById', 'User', { ...system }),
      datetime('LastModifiedDate', system),
      systemModstamp,
    ],
  },
  count: roles.length,
  row: (number, org) => ({
    Name: roles[number]!,
    DeveloperName: roles[number]!.replaceAll(' ', '_'),
    ParentRoleId: roleParents[number]! < 0 ? null : org.id('UserRole', roleParents[number]!),
    RollupDescription: roles[number]!,
  }),
};

/** The permission set that each profile owns comes first, then those that people made. */
const ownSets = ['Backup', 'API only', 'Report builder'];
const permissionSet: SampleObject = {
  declaration: {
    name: 'PermissionSet',
    prefix: '0PS',
    label: 'Permission Set',
    more: { ...setupTraits, queryable: true },
    fields: [
      id('Id'),
      string('Name', 80, { ...required, nameField: true, idLookup: true }),
      string('Label', 80, required),
      reference('ProfileId', 'Profile', { ...system }),
      boolean('IsOwnedByProfile', system),
      boolean('IsCustom', system),
      ...permissionFields,
      string('Description', 255),
      ...audit,
      string('NamespacePrefix', 15, system),
      picklist('Type', ['Regular', 'Profile', 'Standard'], system),
    ],
  },
  count: profiles.length + ownSets.length,
  row: (number, org) => {
    const own = number - profiles.length;
    const granted = (name: string) =>
      number === 0 || (own === 0 && backupPermissions.has(name) && !org.withoutPermissions.includes(name));
    return {
      Name: own < 0 ? `X${org.id('PermissionSet', number).slice(0, 15)}` : ownSets[own]!.replaceAll(' ', '_'),
      Label: own < 0 ? profiles[number]! : ownSets[own]!,
      ProfileId: own < 0 ? org.id('Profile', number) : null,
      IsOwnedByProfile: own < 0,
      IsCustom: own >= 0,
      ...Object.fromEntries(permissions.map((name) => [name, granted(name)])),
      ...(own !== 0 && number !== 2 && { PermissionsApiEnabled: true }),
      Description: own === 0 ? 'Reads everything, for the nightly backup' : null,
      Type: own < 0 ? 'Profile' : 'Regular',
    };
  },
};

const permissionSetAssignment: SampleObject = {
  declaration: {
    name: 'PermissionSetAssignment',
    prefix: '0Pa',
    label: 'Permission Set Assignment',
    more: setupTraits,
    fields: [
      id('Id'),
      reference('PermissionSetId', 'PermissionSet', { ...required, updateable: false, children: 'Assignments' }),
      reference('AssigneeId', 'User', { ...required, updateable: false, children: 'PermissionSetAssignments' }),
      systemModstamp,
    ],
  },
  // Each user has the set of its profile; the login user has the backup set too, two others may build reports.
  count: userCount + 3,
  row: (number, org) => {
    if (number >= userCount) {
      const set = number === userCount ? 0 : 2;
      return {
        PermissionSetId: org.id('PermissionSet', profiles.length + set),
        AssigneeId: org.id('User', (number - userCount) * 3),
      };
    }
    const ownProfile = number === 0 ? 5 : number === 1 ? 0 : number % 5;
    return { PermissionSetId: org.id('PermissionSet', ownProfile), AssigneeId: org.id('User', number) };
  },
};

const queues = ['Support', 'Escalations', 'Web Leads'];
const publicGroups = ['All Sales', 'Board'];
const groupNames = [...queues, ...publicGroups];
const group: SampleObject = {
  declaration: {
    name: 'Group',
    prefix: '00G',
    label: 'Group',
    more: setupTraits,
    fields: [
      id('Id'),
      string('Name', 40, { ...required, nameField: true }),
      string('DeveloperName', 80),
      reference('RelatedId', ['User', 'UserRole'], system),
      picklist('Type', ['Regular', 'Queue', 'Role', 'Organization'], { ...required, length: 40, updateable: false }),
      email('Email', { length: 255 }),
      reference('OwnerId', ['Organization', 'User'], { ...system }),
      boolean('DoesSendEmailToMembers'),
      boolean('DoesIncludeBosses'),
      ...audit,
    ],
  },
  count: groupNames.length + roles.length,
  row: (number, org) => {
    const role = number - groupNames.length;
    return {
      Name: role < 0 ? groupNames[number]! : null,
      DeveloperName: (groupNames[number] ?? roles[role]!).replaceAll(' ', '_'),
      RelatedId: role < 0 ? null : org.id('UserRole', role),
      Type: number < queues.length ? 'Queue' : role < 0 ? 'Regular' : 'Role',
      Email: number === 0 ? 'support@practice-org.example' : null,
      OwnerId: org.id('Organization', 0),
      DoesIncludeBosses: true,
    };
  },
};

const groupMember: SampleObject = {
  declaration: {
    name: 'GroupMember',
    prefix: '011',
    label: 'Group Member',
    more: setupTraits,
    fields: [
      id('Id'),
      reference('GroupId', 'Group', { ...required, updateable: false, children: 'GroupMembers' }),
      reference('UserOrGroupId', ['Group', 'User'], { ...required, updateable: false, relationshipName: null }),
      systemModstamp,
    ],
  },
  count: 20,
  treatment: { noRecycleBin: true },
  row: (number, org) => ({
    GroupId: org.id('Group', number % groupNames.length),
    // Board holds a group, not only people.
    UserOrGroupId: number === 4 ? org.id('Group', 3) : org.id('User', 1 + number),
  }),
};

export const setupObjects: readonly SampleObject[] = [
  organization,
  user,
  profile,
  userRole,
  permissionSet,
  permissionSetAssignment,
  group,
  groupMember,
];
