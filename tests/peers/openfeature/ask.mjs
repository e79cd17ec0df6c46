// Asks what standard input says of a running Steward, through OpenFeature's own SDKs; answers on standard output.
//   {"url", "token", "wrongToken", "questions": [{"type", "key", "fallback", "context"}]}
import { OpenFeature, ProviderEvents } from '@openfeature/server-sdk';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OpenFeature as WebFeature, ProviderEvents as WebEvents } from '@openfeature/web-sdk';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';

const asked = JSON.parse(await new Response(process.stdin).text());
const bearer = (token) => [['Authorization', `Bearer ${token}`]];
const METHODS = {
  boolean: 'getBooleanDetails',
  string: 'getStringDetails',
  number: 'getNumberDetails',
  object: 'getObjectDetails',
};
const told = ({ value, variant, reason, errorCode, flagMetadata }) => ({
  value,
  variant,
  reason,
  errorCode,
  metadata: flagMetadata,
});

async function server(token) {
  await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: asked.url, headers: bearer(token) }));
  const client = OpenFeature.getClient();
  const found = [];
  for (const { type, key, fallback, context } of asked.questions) {
    found.push(told(await client[METHODS[type]](key, fallback, context)));
  }
  await OpenFeature.clearProviders();
  return found;
}

async function web() {
  const statuses = [];
  const fetchImplementation = async (request) => {
    const response = await fetch(request);
    statuses.push(response.status);
    return response;
  };
  const first = asked.questions[0].context;
  await WebFeature.setContext(first);
  const provider = new OFREPWebProvider({
    baseUrl: asked.url,
    fetchImplementation,
    pollInterval: 200,
    options: { headers: bearer(asked.token) },
    headers: bearer(asked.token),
  });
  await WebFeature.setProviderAndWait(provider);
  const client = WebFeature.getClient();
  const found = asked.questions
    .filter(({ context }) => JSON.stringify(context) === JSON.stringify(first))
    .map(({ type, key, fallback }) => told(client[METHODS[type]](key, fallback)));
  for (let waited = 0; waited < 300 && !statuses.includes(304); waited += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await WebFeature.clearProviders();
  return { found, statuses };
}

const answer = { server: await server(asked.token), refused: await server(asked.wrongToken), web: await web() };
process.stdout.write(JSON.stringify(answer));
process.exit(0);
