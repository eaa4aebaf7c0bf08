/** Connections and API destinations: what they are like, what of them is told, and the requests that rules send to them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import {
  CreateApiDestinationCommand,
  CreateConnectionCommand,
  DeauthorizeConnectionCommand,
  DeleteApiDestinationCommand,
  DeleteConnectionCommand,
  DescribeApiDestinationCommand,
  DescribeConnectionCommand,
  ListApiDestinationsCommand,
  ListConnectionsCommand,
  UpdateApiDestinationCommand,
  UpdateConnectionCommand,
} from "@aws-sdk/client-eventbridge";
import type { CreateConnectionCommandInput, EventBridgeClient, Target } from "@aws-sdk/client-eventbridge";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { refusal, startEvents } from "../harness/eventbridge.ts";
import type { EventSetting } from "../harness/eventbridge.ts";
import { policyOf } from "../harness/principals.ts";

interface Got {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Answers what the test says, and a token at /token. */
const got: Got[] = [];
let answers: number[] = [];
const tokens: Got[] = [];
const endpoint = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => (body += chunk.toString()));
  request.on("end", () => {
    const one = { method: request.method ?? "", url: request.url ?? "", headers: request.headers, body };
    if (one.url.startsWith("/token")) {
      tokens.push(one);
      const token = { access_token: `token-${tokens.length}`, expires_in: 3_600 };
      response.writeHead(one.url.includes("bad") ? 403 : 200).end(JSON.stringify(token));
      return;
    }
    got.push(one);
    response.writeHead(answers.shift() ?? 200).end();
  });
});

let setting: EventSetting;
let client: EventBridgeClient;
let base: string;
let RoleArn: string;
before(async () => {
  endpoint.listen(0, "127.0.0.1");
  await once(endpoint, "listening");
  base = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`;
  setting = await startEvents({ localEndpoints: "on" });
  ({ client } = setting);
  const iam = new IAMClient(setting.server.client());
  const trust = { Effect: "Allow", Principal: { Service: "events.amazonaws.com" }, Action: "sts:AssumeRole" };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [trust] });
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: "invoke", AssumeRolePolicyDocument }));
  const PolicyDocument = policyOf({ Action: "events:InvokeApiDestination" });
  await iam.send(new PutRolePolicyCommand({ RoleName: "invoke", PolicyName: "p", PolicyDocument }));
  RoleArn = Role?.Arn ?? "";
  iam.destroy();
});
after(async () => {
  await setting.stop();
  endpoint.closeAllConnections();
  endpoint.close();
});

const BASIC = { BasicAuthParameters: { Username: "user", Password: "top secret" } };

async function connect(Name: string, input: Partial<CreateConnectionCommandInput> = {}) {
  const all = { Name, AuthorizationType: "BASIC" as const, AuthParameters: BASIC, ...input };
  return (await client.send(new CreateConnectionCommand(all))).ConnectionArn ?? "";
}

/** A rule on a bus of its own with an API destination of such a connection as target; answers the bus. */
async function route(
  name: string,
  connection: Partial<CreateConnectionCommandInput>,
  { path = "/in", perSecond = 300 } = {},
  target: Partial<Target> = {},
): Promise<string> {
  const { ApiDestinationArn } = await client.send(
    new CreateApiDestinationCommand({
      Name: name,
      ConnectionArn: await connect(name, connection),
      InvocationEndpoint: base + path,
      HttpMethod: "POST",
      InvocationRateLimitPerSecond: perSecond,
    }),
  );
  const EventBusName = await setting.bus();
  const EventPattern = '{"source":["test.app"]}';
  await setting.rule({ EventBusName, EventPattern }, { Arn: ApiDestinationArn, RoleArn, ...target });
  return EventBusName;
}

/** The next request that comes. */
async function next(from = got): Promise<Got> {
  for (let tries = 0; tries < 500; tries++) {
    const one = from.shift();
    if (one) return one;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("no request came");
}

test("CreateConnection, DescribeConnection, UpdateConnection, DeauthorizeConnection, ListConnections and DeleteConnection", async () => {
  const arn = await connect("shop", { Description: "d" });
  assert.match(arn, /^arn:aws:events:us-east-1:000000000000:connection\/shop\/[0-9a-f-]{36}$/);
  const describe = (Name = "shop") => client.send(new DescribeConnectionCommand({ Name }));
  const found = await describe();
  assert.deepEqual(
    [found.ConnectionArn, found.ConnectionState, found.AuthorizationType, found.Description],
    [arn, "AUTHORIZED", "BASIC", "d"],
  );
  assert.deepEqual(found.AuthParameters, { BasicAuthParameters: { Username: "user" } });
  const InvocationHttpParameters = {
    HeaderParameters: [
      { Key: "open", Value: "o", IsValueSecret: false },
      { Key: "hidden", Value: "h", IsValueSecret: true },
    ],
  };
  await client.send(
    new UpdateConnectionCommand({ Name: "shop", AuthParameters: { InvocationHttpParameters } }),
  );
  assert.deepEqual((await describe()).AuthParameters, {
    BasicAuthParameters: { Username: "user" },
    InvocationHttpParameters: {
      HeaderParameters: [
        { Key: "open", Value: "o", IsValueSecret: false },
        { Key: "hidden", IsValueSecret: true },
      ],
    },
  });
  await client.send(new DeauthorizeConnectionCommand({ Name: "shop" }));
  assert.equal((await describe()).ConnectionState, "DEAUTHORIZED");
  const list = async (input: object) =>
    (await client.send(new ListConnectionsCommand(input))).Connections?.map(({ Name }) => Name);
  assert.deepEqual(await list({ NamePrefix: "sh", ConnectionState: "DEAUTHORIZED" }), ["shop"]);
  assert.equal(
    await refusal(connect("shop")),
    "ResourceAlreadyExistsException: Connection shop already exists.",
  );
  const deleted = await client.send(new DeleteConnectionCommand({ Name: "shop" }));
  assert.equal(deleted.ConnectionState, "DELETING");
  assert.equal(
    await refusal(describe()),
    "ResourceNotFoundException: Failed to describe the connection(s). Connection 'shop' does not exist.",
  );
});

test("CreateConnection refuses what is missing, of another type, or not built, by name", async () => {
  const refused = async (input: Partial<CreateConnectionCommandInput>, what: RegExp) =>
    assert.match(await refusal(connect("wrong", input)), what);
  await refused(
    { AuthorizationType: "API_KEY" },
    /^ValidationException: .*BasicAuthParameters cannot be given/,
  );
  await refused({ AuthParameters: {} }, /^ValidationException: .*Username is a required argument/);
  await refused({ KmsKeyIdentifier: "alias/k" }, /^NotImplemented: .*alias\/k/);
  const ResourceConfigurationArn =
    "arn:aws:vpc-lattice:us-east-1:000000000000:resourceconfiguration/rcfg-0123456789abcdef0";
  const ResourceParameters = { ResourceConfigurationArn };
  await refused(
    { InvocationConnectivityParameters: { ResourceParameters } },
    /^NotImplemented: .*private APIs/,
  );
});

test("CreateApiDestination, DescribeApiDestination, UpdateApiDestination, ListApiDestinations and DeleteApiDestination", async () => {
  const ConnectionArn = await connect("api");
  const create = (input: object) =>
    client.send(
      new CreateApiDestinationCommand({
        Name: "api",
        ConnectionArn,
        InvocationEndpoint: "https://example.com/*",
        HttpMethod: "PUT",
        ...input,
      }),
    );
  const { ApiDestinationArn, ApiDestinationState } = await create({});
  assert.match(ApiDestinationArn ?? "", /:api-destination\/api\/[0-9a-f-]{36}$/);
  assert.equal(ApiDestinationState, "ACTIVE");
  const describe = async () => {
    const {
      $metadata: _,
      CreationTime: __,
      LastModifiedTime: ___,
      ...found
    } = await client.send(new DescribeApiDestinationCommand({ Name: "api" }));
    return found;
  };
  const told = { ApiDestinationArn, ApiDestinationState, Name: "api", ConnectionArn, HttpMethod: "PUT" };
  assert.deepEqual(await describe(), {
    ...told,
    InvocationEndpoint: "https://example.com/*",
    InvocationRateLimitPerSecond: 300,
  });
  await client.send(new UpdateApiDestinationCommand({ Name: "api", InvocationRateLimitPerSecond: 7 }));
  assert.equal((await describe()).InvocationRateLimitPerSecond, 7);
  const list = async (input: object) =>
    (await client.send(new ListApiDestinationsCommand(input))).ApiDestinations?.map(({ Name }) => Name);
  assert.deepEqual(await list({ ConnectionArn }), ["api"]);
  assert.match(
    await refusal(create({})),
    /^ResourceAlreadyExistsException: An api-destination 'api' already exists/,
  );
  assert.match(await refusal(create({ Name: "b", InvocationEndpoint: "ftp://x" })), /^ValidationException/);
  const gone = ConnectionArn.replace("/api/", "/nothing/");
  assert.match(
    await refusal(create({ Name: "b", ConnectionArn: gone })),
    /^ResourceNotFoundException: Connection 'nothing' does not exist/,
  );
  await client.send(new DeleteApiDestinationCommand({ Name: "api" }));
  assert.match(
    await refusal(describe()),
    /^ResourceNotFoundException: Failed to describe the api-destination/,
  );
});

test("a request is signed in by name and password or by key, and has what the connection, the target and the event add", async () => {
  const AuthParameters = {
    ...BASIC,
    InvocationHttpParameters: {
      HeaderParameters: [{ Key: "X-Connection", Value: "c", IsValueSecret: false }],
      QueryStringParameters: [{ Key: "secret", Value: "s&s", IsValueSecret: true }],
      BodyParameters: [{ Key: "added", Value: "b", IsValueSecret: false }],
    },
  };
  const EventBusName = await route(
    "basic",
    { AuthParameters },
    { path: "/in/*/x/*" },
    {
      InputPath: "$.detail",
      HttpParameters: {
        PathParameterValues: ["$.detail.id", "fixed"],
        HeaderParameters: { "X-Target": "$.detail.id" },
        QueryStringParameters: { n: "$.detail.n", secret: "the target's" },
      },
    },
  );
  await setting.put({ EventBusName, Detail: '{"id":"a/b","n":1,"big":12345678901234567890}' });
  const request = await next();
  assert.equal(request.method, "POST");
  assert.equal(request.url, "/in/a%2Fb/x/fixed?n=1&secret=s%26s");
  assert.equal(request.headers.authorization, `Basic ${Buffer.from("user:top secret").toString("base64")}`);
  assert.equal(request.headers["x-connection"], "c");
  assert.equal(request.headers["x-target"], "a/b");
  assert.equal(request.headers["content-type"], "application/json; charset=utf-8");
  assert.equal(request.body, '{"id":"a/b","n":1,"big":12345678901234567890,"added":"b"}');
  const keyed = await route("keyed", {
    AuthorizationType: "API_KEY",
    AuthParameters: { ApiKeyAuthParameters: { ApiKeyName: "X-Key", ApiKeyValue: "k" } },
  });
  await setting.put({ EventBusName: keyed });
  assert.equal((await next()).headers["x-key"], "k");
});

const oauth = (path: string): Partial<CreateConnectionCommandInput> => ({
  AuthorizationType: "OAUTH_CLIENT_CREDENTIALS",
  AuthParameters: {
    OAuthParameters: {
      ClientParameters: { ClientID: "id", ClientSecret: "hush" },
      AuthorizationEndpoint: base + path,
      HttpMethod: "POST",
      OAuthHttpParameters: { BodyParameters: [{ Key: "scope", Value: "write", IsValueSecret: false }] },
    },
  },
});

async function stateOf(Name: string) {
  for (let tries = 0; tries < 200; tries++) {
    const found = await client.send(new DescribeConnectionCommand({ Name }));
    if (found.ConnectionState !== "AUTHORIZING") return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${Name} is still being authorized`);
}

test("OAuth: a token is fetched once, and anew after it was refused; a connection that gets none is deauthorized", async () => {
  const EventBusName = await route("oauth", oauth("/token"));
  assert.equal((await stateOf("oauth")).ConnectionState, "AUTHORIZED");
  const asked = await next(tokens);
  assert.equal(asked.headers.authorization, `Basic ${Buffer.from("id:hush").toString("base64")}`);
  assert.equal(asked.body, "grant_type=client_credentials&scope=write");
  tokens.push(asked);
  await setting.put({ EventBusName });
  assert.equal((await next()).headers.authorization, "Bearer token-1");
  answers = [401];
  await setting.put({ EventBusName });
  assert.equal((await next()).headers.authorization, "Bearer token-1");
  assert.equal((await next()).headers.authorization, "Bearer token-2");
  await connect("refused", oauth("/token-bad"));
  const refused = await stateOf("refused");
  assert.equal(refused.ConnectionState, "DEAUTHORIZED");
  assert.equal(refused.StateReason, "the authorization endpoint answered with the status 403.");
  assert.doesNotMatch(JSON.stringify(refused), /hush/);
});

test("an endpoint that fails is tried again; what it refuses is a dead letter that tells no secret; the rate is kept", async () => {
  const letters = await setting.queue();
  const DeadLetterConfig = { Arn: letters.arn };
  const secret = {
    InvocationHttpParameters: { QueryStringParameters: [{ Key: "k", Value: "hush", IsValueSecret: true }] },
  };
  const EventBusName = await route(
    "paced",
    { AuthParameters: { ...BASIC, ...secret } },
    { perSecond: 2 },
    { DeadLetterConfig },
  );
  answers = [503, 200, 400];
  await setting.put({ EventBusName });
  const [first, second] = [await next(), await next()];
  assert.equal(first.body, second.body);
  await setting.put({ EventBusName });
  await next();
  const [letter] = await letters.receive({ WaitTimeSeconds: 10 });
  const { ERROR_CODE, ERROR_MESSAGE } = letter?.MessageAttributes ?? {};
  assert.equal(ERROR_CODE?.StringValue, "SDK_CLIENT_ERROR");
  assert.match(
    ERROR_MESSAGE?.StringValue ?? "",
    /^arn:aws:events:.*api-destination\/paced\/.* answered with the status 400$/,
  );
  const began = Date.now();
  await setting.put(...Array.from({ length: 4 }, () => ({ EventBusName })));
  for (let n = 0; n < 4; n++) await next();
  assert.ok(Date.now() - began > 700, `four requests at two a second took ${Date.now() - began} ms`);
});
