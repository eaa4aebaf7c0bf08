/** The services that models are generated for, and the few facts no package exports. */
import type { WireProtocol } from "../../src/aws/model/format.ts";

export interface GeneratedService {
  /** The npm package is `@aws-sdk/client-<name>`; the files are called after it. */
  readonly name: string;
  /** The folder in botocore's data. */
  readonly botocore: string;
  /** What the service speaks besides the protocol of the SDK for JavaScript. */
  readonly alsoSpeaks?: readonly WireProtocol[];
  /** Where the client package names none, because its own protocol needs none. */
  readonly xmlNamespace?: string;
}

export const generatedServices: readonly GeneratedService[] = [
  { name: "lambda", botocore: "lambda/2015-03-31" },
  { name: "s3", botocore: "s3/2006-03-01" },
  { name: "dynamodb", botocore: "dynamodb/2012-08-10" },
  { name: "dynamodb-streams", botocore: "dynamodbstreams/2012-08-10" },
  {
    name: "sqs",
    botocore: "sqs/2012-11-05",
    // Older SDKs and Debian's AWS CLI speak query to SQS.
    alsoSpeaks: ["awsQuery"],
    xmlNamespace: "http://queue.amazonaws.com/doc/2012-11-05/",
  },
  { name: "sns", botocore: "sns/2010-03-31" },
  { name: "kinesis", botocore: "kinesis/2013-12-02" },
  { name: "eventbridge", botocore: "events/2015-10-07" },
  { name: "scheduler", botocore: "scheduler/2021-06-30" },
  { name: "cloudwatch-logs", botocore: "logs/2014-03-28" },
  // boto3 and the SDK for Java speak CBOR to CloudWatch, older ones query.
  { name: "cloudwatch", botocore: "cloudwatch/2010-08-01", alsoSpeaks: ["rpcv2Cbor", "awsQuery"] },
  { name: "xray", botocore: "xray/2016-04-12" },
  { name: "iam", botocore: "iam/2010-05-08" },
  { name: "sts", botocore: "sts/2011-06-15" },
  { name: "cloudformation", botocore: "cloudformation/2010-05-15" },
  { name: "codedeploy", botocore: "codedeploy/2014-10-06" },
  { name: "api-gateway", botocore: "apigateway/2015-07-09" },
  { name: "apigatewayv2", botocore: "apigatewayv2/2018-11-29" },
  { name: "elastic-load-balancing-v2", botocore: "elbv2/2015-12-01" },
  { name: "cognito-identity-provider", botocore: "cognito-idp/2016-04-18" },
  { name: "ecr", botocore: "ecr/2015-09-21" },
  { name: "ssm", botocore: "ssm/2014-11-06" },
];
