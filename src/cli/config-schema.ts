import { z } from 'zod';
import { Fault } from '../errors.ts';
import { type Command, camelCase, type Flag, type Flags } from './command.ts';
import { commandKey, configName } from './config.ts';
import { globalFlags } from './global-flags.ts';
import { nearest } from './nearest.ts';
import { channelSchema } from './notify/schema.ts';

const loginSchema = z
  .strictObject({
    clientId: z.string().optional().describe('consumer key of the connected app'),
    clientSecretFile: z.string().optional().describe('file with the consumer secret (client credentials)'),
    jwtKeyFile: z.string().optional().describe('private key of the certificate of the app (JWT bearer)'),
    username: z.string().optional().describe('who logs in (JWT bearer)'),
    instanceUrl: z.string().optional().describe('the org, as https://example.my.salesforce.com'),
    sfdxUrlFile: z.string().optional().describe('file with an SFDX auth URL'),
  })
  .describe('how to log in without a stored login; secrets stand in files or in the environment, never here');

export type LoginConfig = z.infer<typeof loginSchema>;

const fingerprintSchema = z
  .string()
  .regex(/^SHA256:[A-Za-z0-9+/]{43}$/)
  .describe('fingerprint of the root key of the vault, pinned: another vault is refused');

const copiesSchema = z
  .array(z.string().min(1))
  .describe(
    'second copies of the vault: where `salvor copy` copies to, and what `salvor verify --all-copies` verifies',
  );

const orgSchema = z.strictObject({
  vault: z.string().optional().describe('the vault of this org'),
  copies: copiesSchema.optional(),
  login: loginSchema.optional(),
  rootFingerprint: fingerprintSchema.optional(),
  writerKeyFile: z
    .string()
    .optional()
    .describe(
      'file with the writer key of this vault; counts before the environment when the org is named by -o or --all-orgs',
    ),
});

export type OrgConfig = z.infer<typeof orgSchema>;

const thresholdSchema = z.strictObject({
  count: z.int().nonnegative().optional().describe('more rows than this'),
  percent: z
    .number()
    .nonnegative()
    .max(100)
    .optional()
    .describe('more than this share of the rows, where there are 100 at least'),
});

const alertSchema = z.strictObject({
  objects: z.array(z.string().min(1)).min(1).describe('names or patterns'),
  deleted: thresholdSchema.optional().describe('rows deleted since the point before; {} is never an alert'),
  changed: thresholdSchema.optional().describe('rows made or changed since the point before; {} is never an alert'),
  outlier: z
    .union([z.boolean(), z.number().positive()])
    .optional()
    .describe('also what lies more than 8 (or so many) median deviations above the median of the last 30 points'),
});

const sentence = z.string().trim().min(1);

const exclusionSchema = z
  .strictObject({
    objects: z.array(z.string().min(1)).min(1).optional().describe('names or patterns of objects'),
    fields: z
      .array(z.string().regex(/^[^.]+\.[^.]+$/, 'write it as Contact.SSN__c or *.Temp_*'))
      .min(1)
      .optional()
      .describe('fields, as Contact.SSN__c or *.Temp_*'),
    where: sentence.optional().describe('a SOQL condition: of these objects the rows that meet it, and no others'),
    reason: sentence.describe('why'),
    owner: sentence.describe('who answers for it'),
    until: z.iso.date().optional().describe('behind this day nothing is left out by it any more'),
  })
  .refine(
    ({ objects, fields }) => (objects === undefined) !== (fields === undefined),
    'needs objects or fields, and not both',
  )
  .refine(({ objects, where }) => where === undefined || objects !== undefined, 'where needs objects');

/** Keys that are no flags: structures that a command line cannot hold. */
const structures = {
  copies: copiesSchema.optional(),
  allowedRegions: z
    .array(z.string().min(1))
    .optional()
    .describe(
      'where vaults and copies may be: names of regions, hosts of other S3 endpoints, or local for folders; checked before the first byte',
    ),
  orgs: z
    .record(z.string(), orgSchema)
    .optional()
    .describe('several orgs: alias, as in --target-org, to vault and login'),
  notify: z.array(channelSchema).optional().describe('who is told how backup, watch and verify end'),
  exclusions: z
    .array(exclusionSchema)
    .optional()
    .describe('what points leave out: objects, fields, rows, each with a reason and an owner; points record it'),
  alerts: z
    .array(alertSchema)
    .optional()
    .describe('what marks a point suspect (exit 7); of rules that name an object the last one decides each figure'),
  accessLog: z
    .enum(['required', 'when possible'])
    .optional()
    .describe('required: rows are not shown and keys not used where that cannot be noted in the vault'),
};

const commandStructures: Record<string, Record<string, z.ZodType>> = {
  backup: {
    accept: z
      .array(
        z.strictObject({
          objects: z
            .array(z.string().regex(/^\w+$/, 'name each object; patterns are not accepted here'))
            .min(1)
            .describe('names of objects, no patterns'),
          reason: z.enum(['failed', 'unproven', 'visibility']),
          owner: sentence.describe('who answers for it'),
          until: z.iso.date().describe('behind this day the acceptance no longer holds'),
        }),
      )
      .optional()
      .describe('objects that may be incomplete for a known reason without making the point partial'),
  },
};

/** The schema of the config file, which follows from the declared flags. */
export function configSchema(commands: readonly Command[]) {
  const shape: Record<string, z.ZodType> = {
    $schema: z.string().optional().describe('lets editors complete this file'),
    ...flagShape(globalFlags),
    ...structures,
  };
  for (const command of commands) {
    const own = { ...flagShape(command.flags), ...commandStructures[commandKey(command)] };
    if (Object.keys(own).length === 0) continue;
    shape[commandKey(command)] = z.strictObject(own).optional().describe(`flags of salvor ${command.name}`);
  }
  return z.strictObject(shape);
}

function flagShape(flags: Flags): Record<string, z.ZodType> {
  const shape: Record<string, z.ZodType> = {};
  for (const [name, flag] of Object.entries(flags)) {
    if (flag.config === false || flag.secret) continue;
    shape[camelCase(name)] = typeOf(flag).optional().describe(flag.summary);
  }
  return shape;
}

function typeOf(flag: Flag): z.ZodType {
  if (flag.value === undefined) return z.boolean();
  const one = flag.choices
    ? z.enum(flag.choices as [string, ...string[]])
    : flag.kind === 'integer'
      ? z.int().nonnegative()
      : flag.kind === 'number'
        ? z.number().nonnegative()
        : z.string().min(1);
  return flag.repeatable || flag.kind === 'list' ? z.array(one) : one;
}

/** The JSON Schema that editors use (`examples/salvor.schema.json`). */
export function configJsonSchema(commands: readonly Command[]): object {
  return { ...z.toJSONSchema(configSchema(commands)), title: configName };
}

/** The values of a config file. Throws `config-invalid`, which names the key and the nearest known one. */
export function checkConfig(
  json: unknown,
  file: string,
  commands: readonly Command[],
): Record<string, unknown> & { orgs?: Record<string, OrgConfig>; copies?: string[]; allowedRegions?: string[] } {
  const schema = configSchema(commands);
  const checked = schema.safeParse(json);
  if (!checked.success) throw invalid(file, schema, checked.error);
  return checked.data;
}

function invalid(file: string, schema: ReturnType<typeof configSchema>, error: z.ZodError): Fault {
  const actions: string[] = [];
  const told = error.issues.map((issue) => {
    const at = issue.path.map(String).join('.');
    if (issue.code !== 'unrecognized_keys') return `${at || 'the file'}: ${issue.message}`;
    const known = knownKeys(schema, issue.path);
    for (const key of issue.keys) {
      const meant = nearest(key, known);
      if (meant) actions.push(`write ${meant} instead of ${key}`);
    }
    return `unknown key ${issue.keys.map((key) => [...issue.path, key].join('.')).join(', ')}`;
  });
  if (actions.length === 0)
    actions.push(
      'correct it; "$schema": "./node_modules/salvor/examples/salvor.schema.json" makes editors complete it',
    );
  return new Fault('config-invalid', `${file}: ${told.join('; ')}`, { actions });
}

/** Keys that the object at `at` may have. */
function knownKeys(schema: z.ZodType, at: readonly PropertyKey[]): string[] {
  let json = z.toJSONSchema(schema) as { properties?: Record<string, object>; additionalProperties?: object };
  for (const key of at) json = (json.properties?.[String(key)] ?? json.additionalProperties ?? {}) as typeof json;
  return Object.keys(json.properties ?? {});
}
