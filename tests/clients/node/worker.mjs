// Novu's side of the bridge protocol in a few lines: it signs, discovers and executes as Novu's worker does, and holds
// every answer to the schemas of Novu's own framework. Its last line says what was found, as JSON.
import { createHmac } from 'node:crypto';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { actionStepSchemas, channelStepSchemas } from '@novu/framework/internal';

const url = `${process.env.NOVUKIT_URL}/api/novu`;
const ajv = new Ajv({ strict: false });
addFormats(ajv);

function headers(body) {
  const t = Date.now();
  const v1 = createHmac('sha256', process.env.NOVUKIT_SECRET_KEY).update(`${t}.${JSON.stringify(body)}`).digest('hex');
  const signature = `t=${t},v1=${v1}`;
  return { 'content-type': 'application/json', 'novu-signature': signature, 'x-novu-signature': signature };
}

async function call(query, body) {
  const at = `${url}?${new URLSearchParams(query)}`;
  const answer = body
    ? await fetch(at, { method: 'POST', headers: headers(body), body: JSON.stringify(body) })
    : await fetch(at, { headers: headers({}) });
  if (!answer.ok) throw new Error(`${at}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const result = { in_app: { seen: false, read: false, lastSeenDate: null, lastReadDate: null }, delay: { duration: 1000 } };
const schemas = { ...actionStepSchemas, ...channelStepSchemas };
const { workflows } = await call({ action: 'discover' });
const found = {};
for (const one of workflows) {
  const payload = { title: 'Größe «1»', body: '1.0', data: { 2: 'two', 1: 1.5 }, number: 7 };
  const state = [{ stepId: 'trigger', outputs: payload, state: { status: 'completed' } }];
  for (const step of one.steps) {
    const body = { payload, controls: {}, subscriber: { subscriberId: 'ada', firstName: 'Ada' }, context: {}, env: {}, state };
    const said = await call({ action: 'execute', workflowId: one.workflowId, stepId: step.stepId }, body);
    const fits = ajv.compile(schemas[step.type].output);
    if (!fits(said.outputs)) throw new Error(`${one.workflowId}/${step.stepId}: ${ajv.errorsText(fits.errors)}`);
    found[`${one.workflowId}/${step.stepId}`] = said.outputs;
    state.unshift({ stepId: step.stepId, outputs: result[step.type] ?? {}, state: { status: 'completed' } });
  }
}
console.log(JSON.stringify(found));
