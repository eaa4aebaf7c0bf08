"""Calls the server through boto3 over every protocol and prints what came back, one JSON object."""
import datetime, json, sys
import urllib.request
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

config = Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"})


def client(name):
    return boto3.client(
        name,
        endpoint_url=sys.argv[1],
        region_name="us-east-1",
        aws_access_key_id="AKIACLI",
        aws_secret_access_key="secret",
        config=config,
    )


def error(call):
    try:
        call()
    except ClientError as failure:
        return [failure.response["Error"]["Code"], failure.response["Error"]["Message"]]


result = {"version": boto3.__version__}
awslambda = client("lambda")
invoked = awslambda.invoke(FunctionName="f", Payload=b'{"a":1}', Qualifier="7")
result["lambda"] = [invoked["ExecutedVersion"], invoked["Payload"].read().decode()]
result["lambdaError"] = error(lambda: awslambda.get_function(FunctionName="nope"))
s3 = client("s3")
result["s3"] = s3.put_object(Bucket="bucket", Key="b/é +x", Body=b"boto", Metadata={"k": "v"})["ETag"]
result["s3Get"] = s3.get_object(Bucket="bucket", Key="b/é +x")["Body"].read().decode()
result["s3Error"] = error(lambda: s3.get_object(Bucket="bucket", Key="none"))
result["s3Location"] = s3.get_bucket_location(Bucket="bucket")["LocationConstraint"]
for version in ("s3", "s3v4"):
    signer = boto3.client(
        "s3",
        endpoint_url=sys.argv[1],
        region_name="us-east-1",
        aws_access_key_id="AKIACLI",
        aws_secret_access_key="secret",
        config=Config(signature_version=version, s3={"addressing_style": "path"}),
    )
    wanted = {"Bucket": "bucket", "Key": "b/é +x", "ResponseContentType": "text/plain"}
    url = signer.generate_presigned_url("get_object", Params=wanted, ExpiresIn=60)
    result["presigned " + version] = urllib.request.urlopen(url).read().decode()
    put = signer.generate_presigned_url("put_object", Params={"Bucket": "bucket", "Key": "p", "ContentType": "a/b"}, ExpiresIn=60)
    request = urllib.request.Request(put, data=b"x", method="PUT", headers={"Content-Type": "a/b"})
    result["presigned put " + version] = urllib.request.urlopen(request).status
dynamodb = client("dynamodb").put_item(TableName="table", Item={"b": {"B": b"\x00\xff"}, "n": {"N": "1"}})
result["dynamodb"] = [dynamodb["Attributes"]["b"]["B"].hex(), dynamodb["Attributes"]["n"]["N"]]
records = client("kinesis").put_records(StreamName="s", Records=[{"Data": b"abc", "PartitionKey": "p"}])
result["kinesis"] = records["Records"]
logs = client("logs").filter_log_events(logGroupName="g", filterPattern="[a]", startTime=1700000000123)
result["logs"] = logs["events"]
sqs = client("sqs")
result["sqs"] = sqs.send_message(QueueUrl=sys.argv[1] + "/000000000000/q", MessageBody="hi & <b>")["MessageId"]
result["sqsError"] = error(lambda: sqs.get_queue_url(QueueName="nope"))
attributes = {"a": {"DataType": "String", "StringValue": "x y"}}
result["sns"] = client("sns").publish(TopicArn="arn:aws:sns:us-east-1:000000000000:t", Message="m", MessageAttributes=attributes)["MessageId"]
cloudwatch = client("cloudwatch")
data = [{"MetricName": "m%d" % i, "Value": i + 0.5, "Timestamp": datetime.datetime.now(datetime.timezone.utc)} for i in range(200)]
cloudwatch.put_metric_data(Namespace="n", MetricData=data)
alarm = cloudwatch.describe_alarms()["MetricAlarms"][0]
result["cloudwatch"] = [alarm["AlarmName"], alarm["Threshold"], alarm["AlarmConfigurationUpdatedTimestamp"].isoformat()]
result["iam"] = client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}", Tags=[{"Key": "a", "Value": "b c"}])["Role"]["Tags"]
result["iamError"] = error(lambda: client("iam").get_role(RoleName="nope"))
result["sts"] = client("sts").get_caller_identity()["Arn"]
result["cloudformationError"] = error(lambda: client("cloudformation").describe_stacks(StackName="nope"))
result["apigateway"] = client("apigateway").create_rest_api(name="n")["createdDate"].isoformat()
print(json.dumps(result))
