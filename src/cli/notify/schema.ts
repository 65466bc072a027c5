import { z } from 'zod';

const occasions = z.enum(['failure', 'partial', 'alert', 'success']);
const on = z.array(occasions).optional().describe('when: failure, partial, alert, success; without it all but success');
const url = {
  urlEnv: z.string().min(1).optional().describe('the environment variable that holds the URL'),
  urlFile: z.string().min(1).optional().describe('the file that holds the URL, relative to this one'),
};

/** One entry of `notify` in the config file. Secrets stand in the environment or in files that it names, never in it. */
export const channelSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('webhook'),
    ...url,
    format: z.enum(['json', 'slack']).optional().describe('json unless told; slack: {"text": …}'),
    on,
  }),
  z.strictObject({
    kind: z.literal('email'),
    host: z.string().min(1).describe('the SMTP server'),
    port: z.int().positive().max(65_535).optional().describe('587 unless told; 465 is TLS from the first byte'),
    tls: z.boolean().optional().describe('false: without TLS, and then without a password'),
    user: z.string().optional(),
    passwordEnv: z.string().min(1).optional().describe('the environment variable that holds the password'),
    passwordFile: z.string().min(1).optional().describe('the file that holds the password, relative to this one'),
    from: z.string().min(1),
    to: z.array(z.string().min(1)).min(1),
    on,
  }),
  z.strictObject({
    kind: z.literal('heartbeat'),
    ...url,
    method: z.enum(['GET', 'POST']).optional().describe('GET unless told; asked for after each success'),
  }),
]);

export type Occasion = z.infer<typeof occasions>;
export type Channel = z.infer<typeof channelSchema>;
