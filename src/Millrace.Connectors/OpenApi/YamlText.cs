using System.Globalization;
using Millrace.Jq;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Millrace.Connectors.OpenApi;

/// <summary>The text is no YAML, or none that stands for JSON. Line and column count from 1.</summary>
internal sealed class YamlTextException(long line, long column) : Exception("The text is no YAML that stands for JSON.")
{
    public long Line { get; } = line;
    public long Column { get; } = column;
}

/// <summary>Reads one YAML document as JSON, by the core schema of YAML 1.2.2 (10.3).</summary>
internal static class YamlText
{
    private const int DepthMax = 200;

    // Aliases repeat what they name: a short text can stand for a very large value.
    private const int NodesMax = 1_000_000;

    public static Json Parse(string text)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            var nodes = 0;
            return stream.Documents.Count == 1 ? Convert(stream.Documents[0].RootNode, 0, ref nodes) : throw new YamlTextException(1, 1);
        }
        catch (YamlException e)
        {
            throw new YamlTextException(e.Start.Line, e.Start.Column);
        }
    }

    private static Json Convert(YamlNode node, int depth, ref int nodes)
    {
        if (depth > DepthMax || ++nodes > NodesMax) throw new YamlTextException(node.Start.Line, node.Start.Column);
        switch (node)
        {
            case YamlScalarNode scalar:
                return scalar.Style == ScalarStyle.Plain && scalar.Tag.IsEmpty ? Plain(scalar.Value ?? "") : scalar.Value ?? "";
            case YamlSequenceNode sequence:
                var items = new List<Json>(sequence.Children.Count);
                foreach (var item in sequence.Children) items.Add(Convert(item, depth + 1, ref nodes));
                return JsonArray.Of(items);
            case YamlMappingNode mapping:
                var members = new JsonObject.Builder(mapping.Children.Count);
                foreach (var (key, value) in mapping.Children)
                    members.Set((key as YamlScalarNode)?.Value ?? throw new YamlTextException(key.Start.Line, key.Start.Column), Convert(value, depth + 1, ref nodes));
                return members.Build();
            default:
                throw new YamlTextException(node.Start.Line, node.Start.Column);
        }
    }

    private static Json Plain(string text) => text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => Json.Null,
        "true" or "True" or "TRUE" => Json.True,
        "false" or "False" or "FALSE" => Json.False,
        _ => IsNumber(text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : text,
    };

    private static bool IsNumber(string text) =>
        text.Any(char.IsAsciiDigit) && text.All(c => char.IsAsciiDigit(c) || c is '+' or '-' or '.' or 'e' or 'E');
}
