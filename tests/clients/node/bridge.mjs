// An application with Novu's framework, as its documentation says to write one. It counts how often each step's code
// runs, and appends a line per run to the file that BRIDGE_COUNTS names: a test reads it whatever dies.
import { appendFileSync } from 'node:fs';
import express from 'express';
import { Client, workflow } from '@novu/framework';
import { serve } from '@novu/framework/express';
import { z } from 'zod';

const ran = (step) => process.env.BRIDGE_COUNTS && appendFileSync(process.env.BRIDGE_COUNTS, `${step}\n`);

const order = workflow(
  'ts-order',
  async ({ step, payload, subscriber }) => {
    const loaded = await step.custom(
      'load',
      async () => {
        ran('load');
        return { total: payload.price * payload.count, label: `#${payload.number}` };
      },
      {
        outputSchema: {
          type: 'object',
          properties: { total: { type: 'number' }, label: { type: 'string' } },
          required: ['total', 'label'],
          additionalProperties: false,
        },
      },
    );
    await step.inApp('bell', async () => {
      ran('bell');
      return {
        subject: `Order ${loaded.label}`,
        body: `It costs ${loaded.total}`,
        primaryAction: { label: 'Look', redirect: { url: '/orders', target: '_self' } },
        data: { number: payload.number },
      };
    });
    await step.email(
      'never',
      async () => ({ subject: 'Never', body: 'sent' }),
      { skip: async () => payload.count > 0 },
    );
    await step.email('mail', async () => {
      ran('mail');
      return { subject: `Dear ${subscriber.firstName}`, body: `<h1>${loaded.label}</h1><script>bad()</script>` };
    });
  },
  {
    name: 'An order from TypeScript',
    tags: ['shop'],
    payloadSchema: z.object({
      number: z.number().int(),
      price: z.number(),
      count: z.number().int().default(1),
    }),
  },
);

const comments = workflow(
  'ts-comments',
  async ({ step }) => {
    const gathered = await step.digest('gather', async () => {
      ran('gather');
      return { type: 'regular', amount: 4, unit: 'seconds', digestKey: 'post' };
    });
    await step.inApp('bell', async () => {
      ran('digested');
      return { body: `${gathered.events.length}: ${gathered.events.map((e) => e.payload.text).join(', ')}` };
    });
  },
  { payloadSchema: z.object({ post: z.string(), text: z.string() }) },
);

const reminder = workflow('ts-reminder', async ({ step }) => {
  const bell = await step.inApp('bell', async () => {
    ran('first');
    return { body: 'Look here' };
  });
  await step.delay('wait', async () => ({ type: 'regular', amount: 6, unit: 'seconds' }));
  await step.inApp(
    'again',
    async () => {
      ran('again');
      return { body: `Seen: ${bell.seen}` };
    },
    { skip: async () => bell.read },
  );
});

const limited = workflow('ts-limited', async ({ step }) => {
  await step.throttle('limit', async () => ({ type: 'fixed', amount: 1, unit: 'hours', threshold: 1 }));
  await step.inApp('bell', async () => ({ body: 'Only once' }));
});

const throwing = workflow('ts-throwing', async ({ step }) => {
  await step.inApp('bell', async () => {
    throw new Error('The author made a mistake');
  });
});

const branch = workflow('ts-branch', async ({ step }) => {
  const bell = await step.inApp('bell', async () => ({ body: 'Look here' }));
  await step.delay('wait', async () => ({ type: 'regular', amount: 3, unit: 'seconds' }));
  if (!bell.seen) await step.email('nudge', async () => ({ subject: 'You missed it', body: 'Look' }));
  await step.inApp('last', async () => ({ body: 'That was all' }));
});

const late = workflow('ts-late', async ({ step }) => {
  await step.inApp('bell', async () => ({ body: 'I was added later' }));
});

const workflows = process.env.BRIDGE_LATER ? [order, comments, reminder, throwing, late] : [order, comments, reminder, limited, throwing, branch];
const app = express();
app.use(express.json());
app.use(
  '/api/novu',
  serve({
    client: new Client({ secretKey: process.env.NOVU_SECRET_KEY, strictAuthentication: process.env.BRIDGE_LAX !== '1' }),
    workflows,
  }),
);
const server = app.listen(Number(process.env.BRIDGE_PORT ?? 0), '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/api/novu` }));
});
