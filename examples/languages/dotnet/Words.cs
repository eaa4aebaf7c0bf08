using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Amazon.Lambda.Core;
using Amazon.Lambda.Serialization.SystemTextJson;

[assembly: LambdaSerializer(typeof(DefaultLambdaJsonSerializer))]

namespace Example;

/// <summary>Counts the words of a text.</summary>
public class Words
{
    public record Request([property: JsonPropertyName("text")] string Text);

    public record Answer(
        [property: JsonPropertyName("language")] string Language,
        [property: JsonPropertyName("words")] Dictionary<string, int> Counts);

    public Answer Handle(Request request)
    {
        var counts = Regex.Matches(request.Text.ToLowerInvariant(), @"\p{L}+")
            .GroupBy(word => word.Value)
            .OrderByDescending(group => group.Count())
            .ThenBy(group => group.Key, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Count());
        return new Answer($".NET {Environment.Version}", counts);
    }
}
