/** Targets that are named by their own ARN: functions, queues, topics, streams and event buses. */
import { notImplemented } from "../../../aws/errors.ts";
import { invalid } from "../errors.ts";
import type { Target } from "../schedules/definition.ts";
import type { Delivery } from "./delivery.ts";

interface Template {
  readonly arn: RegExp;
  /** The member of Target that belongs to it. */
  readonly parameters?: keyof Target;
  readonly isJson: boolean;
  refine(target: Target): Omit<Delivery["target"], "arn">;
}

const TEMPLATES: readonly Template[] = [
  {
    arn: /^arn:aws:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+(:[\w$-]+)?$/,
    isJson: true,
    refine: () => ({}),
  },
  {
    arn: /^arn:aws:sqs:[a-z0-9-]+:\d{12}:[\w-]+(\.fifo)?$/,
    parameters: "SqsParameters",
    isJson: false,
    refine: ({ SqsParameters }) =>
      SqsParameters?.MessageGroupId === undefined
        ? {}
        : { sqs: { messageGroupId: SqsParameters.MessageGroupId } },
  },
  { arn: /^arn:aws:sns:[a-z0-9-]+:\d{12}:[\w-]+(\.fifo)?$/, isJson: false, refine: () => ({}) },
  {
    arn: /^arn:aws:kinesis:[a-z0-9-]+:\d{12}:stream\/[\w.-]+$/,
    parameters: "KinesisParameters",
    isJson: false,
    refine({ KinesisParameters }) {
      const { PartitionKey: partitionKey } = KinesisParameters ?? {};
      if (partitionKey === undefined)
        throw invalid("A stream of Kinesis as a target needs KinesisParameters.");
      return { kinesis: { partitionKey } };
    },
  },
  {
    arn: /^arn:aws:events:[a-z0-9-]+:\d{12}:event-bus\/[\w./-]+$/,
    parameters: "EventBridgeParameters",
    isJson: true,
    refine({ EventBridgeParameters }) {
      const { Source: source, DetailType: detailType } = EventBridgeParameters ?? {};
      if (source === undefined || detailType === undefined)
        throw invalid("An event bus as a target needs EventBridgeParameters.");
      return { event: { source, detailType } };
    },
  },
];

/** What AWS has templates for, and this server does not. */
const OTHERS = /^arn:aws:(states|ecs|firehose|codebuild|codepipeline|inspector|sagemaker):/;
const PARAMETERS = [
  "SqsParameters",
  "KinesisParameters",
  "EventBridgeParameters",
  "EcsParameters",
  "SageMakerPipelineParameters",
  "EventBridgePutEventsV2Parameters",
  "EventBridgePutRawEventsParameters",
] as const satisfies readonly (keyof Target)[];
const REFUSED: readonly string[] = PARAMETERS.slice(3);

/** @throws AwsError ValidationException; NotImplemented */
export function templatedDelivery(target: Target, input: string): Delivery {
  const { Arn: arn = "" } = target;
  const template = TEMPLATES.find((one) => one.arn.test(arn));
  if (!template) {
    if (OTHERS.test(arn)) throw notImplemented(`the target ${arn}`);
    throw invalid("Provided Arn is not in correct format.");
  }
  for (const name of PARAMETERS) {
    if (target[name] === undefined || name === template.parameters) continue;
    throw REFUSED.includes(name)
      ? notImplemented(name)
      : invalid(`${name} cannot be given for the target ${arn}.`);
  }
  if (template.isJson && !isJson(input))
    throw invalid(`The Input of the target ${arn} must be well-formed JSON.`);
  return { target: { arn, ...template.refine(target) }, body: input };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
