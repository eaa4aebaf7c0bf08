using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading;
using System.Threading.Tasks;
using Amazon.Lambda.Core;
using Amazon.Lambda.Serialization.SystemTextJson;

[assembly: LambdaSerializer(typeof(DefaultLambdaJsonSerializer))]

namespace Test;

public class Request
{
    [JsonPropertyName("do")]
    public string Do { get; set; }

    [JsonPropertyName("text")]
    public string Text { get; set; }

    [JsonPropertyName("size")]
    public int Size { get; set; }
}

public class Person
{
    [JsonPropertyName("firstName")]
    public string FirstName { get; set; }

    [JsonPropertyName("age")]
    public int Age { get; set; }
}

public class Handlers
{
    private int _calls;

    public object Handle(Request request, ILambdaContext context)
    {
        _calls++;
        switch (request.Do)
        {
            case "environment":
                return Environment.GetEnvironmentVariables().Keys.Cast<string>()
                    .ToDictionary(name => name, Environment.GetEnvironmentVariable)
                    .Append(new("version", Environment.Version.ToString()))
                    .Append(new("directory", Directory.GetCurrentDirectory()))
                    .Append(new("heap", GC.GetGCMemoryInfo().TotalAvailableMemoryBytes.ToString()))
                    .Append(new("upper", "straße".ToUpperInvariant()))
                    .ToDictionary(entry => entry.Key, entry => entry.Value);
            case "context":
                return new Dictionary<string, object>
                {
                    ["name"] = context.FunctionName,
                    ["version"] = context.FunctionVersion,
                    ["memory"] = context.MemoryLimitInMB,
                    ["arn"] = context.InvokedFunctionArn,
                    ["id"] = context.AwsRequestId,
                    ["group"] = context.LogGroupName,
                    ["stream"] = context.LogStreamName,
                    ["remaining"] = context.RemainingTime.TotalMilliseconds,
                    ["client"] = context.ClientContext?.Client?.AppTitle + context.ClientContext?.Custom?["a"],
                };
            case "trace":
                return Environment.GetEnvironmentVariable("_X_AMZN_TRACE_ID");
            case "fail":
                throw new InvalidOperationException("bad ☃", new ArgumentException("the cause"));
            case "length":
                return request.Text.Length;
            case "size":
                return new string('x', request.Size);
            case "log":
                Console.WriteLine("out line");
                Console.Error.WriteLine("err line");
                context.Logger.LogInformation("informed");
                context.Logger.LogWarning("warned");
                context.Logger.LogDebug("debugged");
                Console.Write("bytes\n");
                return null;
            case "exit":
                Environment.Exit(3);
                return null;
            case "sleep":
                Thread.Sleep(60_000);
                return null;
            case "spin":
                while (true) _calls++;
            case "allocate":
                var blocks = new List<byte[]>();
                while (true) blocks.Add(Enumerable.Repeat((byte)1, 10_000_000).ToArray());
            case "file":
                return File.ReadAllText(request.Text);
            case "write":
                File.WriteAllText("/tmp/file", request.Text);
                return File.ReadAllText("/tmp/file");
            default:
                return _calls;
        }
    }

    public static string Fixed() => "static";

    public void Nothing(Request request)
    {
    }

    public async Task<Person> Older(Person person)
    {
        await Task.Delay(1);
        return new Person { FirstName = person.FirstName, Age = person.Age + 1 };
    }

    public Stream Raw(Stream input)
    {
        using var reader = new StreamReader(input);
        return new MemoryStream(Encoding.UTF8.GetBytes($"<{reader.ReadToEnd()}>"));
    }
}

public class Fails
{
    public Fails() => throw new ArgumentException("in the constructor");

    public void Handle()
    {
    }
}
