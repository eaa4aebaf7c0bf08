/** PutQueryDefinition, DescribeQueryDefinitions and DeleteQueryDefinition: queries that people keep. */
import { createHash } from "node:crypto";
import { AwsError, notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { LogsState } from "../state.ts";
import { deleteDefinition, getDefinition, listDefinitions, putDefinition } from "../store-definitions.ts";
import { pageOf } from "./paging.ts";
import { checkQuery, refuseLanguage } from "./queries.ts";

type Client = typeof import("@aws-sdk/client-cloudwatch-logs");

/** Of an account in a region, as by AWS. */
const DEFINITIONS_MAX = 1_000;

export async function putQueryDefinition(
  state: LogsState,
  input: Input<Client, "PutQueryDefinition">,
  { account, region }: RequestContext,
): Promise<Output<Client, "PutQueryDefinition">> {
  refuseLanguage(input.queryLanguage, "PutQueryDefinition");
  if (input.parameters?.length) throw notImplemented("parameters of PutQueryDefinition");
  checkQuery(input.queryString ?? "");
  // The same token names the same definition, so that a repeated request makes no second one.
  const queryDefinitionId =
    input.queryDefinitionId ?? idOf(account, region, input.clientToken) ?? state.ids.uuid();
  await state.database.tx(async (tx) => {
    if (input.queryDefinitionId !== undefined) {
      if (!(await getDefinition(tx, account, region, queryDefinitionId))) throw missing();
    } else if ((await listDefinitions(tx, account, region)).length >= DEFINITIONS_MAX)
      throw new AwsError("LimitExceededException", "Resource limit exceeded.");
    await putDefinition(tx, {
      definition_id: queryDefinitionId,
      account,
      region,
      name: input.name ?? "",
      query: input.queryString ?? "",
      log_groups: JSON.stringify(input.logGroupNames ?? []),
      changed_at: state.clock.now(),
    });
  });
  return { queryDefinitionId };
}

export async function describeQueryDefinitions(
  state: LogsState,
  input: Input<Client, "DescribeQueryDefinitions">,
  { account, region }: RequestContext,
): Promise<Output<Client, "DescribeQueryDefinitions">> {
  const { queryDefinitionNamePrefix = "", queryLanguage = "CWLI", nextToken, maxResults } = input;
  const rows = (await listDefinitions(state.database, account, region)).filter(
    ({ name }) => queryLanguage === "CWLI" && name.startsWith(queryDefinitionNamePrefix),
  );
  const { page, ...more } = pageOf(
    rows,
    { nextToken, limit: maxResults },
    (row) => `${row.name}\n${row.definition_id}`,
  );
  return {
    queryDefinitions: page.map((row) => ({
      queryLanguage: "CWLI",
      queryDefinitionId: row.definition_id,
      name: row.name,
      queryString: row.query,
      lastModified: row.changed_at,
      logGroupNames: JSON.parse(row.log_groups) as string[],
    })),
    ...more,
  };
}

export async function deleteQueryDefinition(
  state: LogsState,
  input: Input<Client, "DeleteQueryDefinition">,
  { account, region }: RequestContext,
): Promise<Output<Client, "DeleteQueryDefinition">> {
  await state.database.tx(async (tx) => {
    if (!(await deleteDefinition(tx, account, region, input.queryDefinitionId ?? ""))) throw missing();
  });
  return { success: true };
}

/** A UUID (version 5 in form: Terraform imports no other) of a caller's token; undefined where there is none. */
function idOf(account: string, region: string, token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  const hex = createHash("sha256")
    .update(JSON.stringify([account, region, token]))
    .digest("hex");
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, "$1-$2-5$3-8$4-$5");
}

function missing(): AwsError {
  return new AwsError("ResourceNotFoundException", "The specified query definition does not exist.");
}
