using System.Text;
using Millrace.Jq;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Millrace.Workflows.Documents;

/// <summary>The source text cannot be read; there is one such finding at most, for nothing is known after it.</summary>
internal sealed class UnreadableException(string code, string message, SourceMark at, string? expected = null) : Exception(message)
{
    public string Code { get; } = code;
    public SourceMark At { get; } = at;
    public string? Expected { get; } = expected;
}

/// <summary>
/// Reads YAML 1.2 (core schema), and with it JSON, into one value and the places of all its parts. Aliases are allowed
/// and share what their anchor holds; merge keys (<c>&lt;&lt;</c>) are followed, an explicit member wins over a merged one;
/// one document in one text; tags only of the core schema; keys that are no strings become the text they were written as.
/// </summary>
internal sealed class DocumentReader
{
    /// <summary>Nesting that is read at most.</summary>
    public const int DepthMax = 200;

    /// <summary>Values that are read at most, each alias counting as all it stands for.</summary>
    public const int ValuesMax = 100_000;

    /// <summary>Characters that the keys on the way to a value have at most: its JSON pointer is built again and again.</summary>
    public const int PathMax = 4096;

    private sealed record Anchored(Json Value, SourceNode Node, int Count);

    /// <summary>Characters that a position adds to a pointer: the slash and up to five digits.</summary>
    private const int IndexLength = 6;

    private readonly Parser _parser;
    private readonly string _source;

    /// <summary>An anchor whose value is still being read maps to null.</summary>
    private readonly Dictionary<string, Anchored?> _anchors = new(StringComparer.Ordinal);

    private int _values;

    private DocumentReader(string source)
    {
        _source = source;
        _parser = new Parser(new StringReader(source));
    }

    /// <exception cref="UnreadableException">The text is no document; the exception says where and why.</exception>
    public static (Json Value, SourceMap Map) Read(string source)
    {
        if (Encoding.UTF8.GetByteCount(source) is var bytes && bytes > WorkflowLoader.SourceBytesMax)
            throw new UnreadableException("yaml.limit", $"The source has {bytes} bytes.", new(1, 1), $"at most {WorkflowLoader.SourceBytesMax} bytes");
        if (source.StartsWith('\uFEFF')) source = source[1..];
        var reader = new DocumentReader(source);
        try
        {
            return reader.ReadStream();
        }
        catch (YamlException e)
        {
            throw reader.Located(e);
        }
        // The parser answers some unclosed brackets with exceptions of the runtime instead of its own.
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or FormatException)
        {
            throw new UnreadableException("yaml.syntax", "The text breaks off or is not closed here.", reader.Here);
        }
    }

    private ParsingEvent Current => _parser.Current!;
    private SourceMark Here => _parser.Current is { } e ? SourceMark.Of(e.End) : new(1, 1);

    private (Json, SourceMap) ReadStream()
    {
        Next();
        Next();
        if (Current is StreamEnd) throw new UnreadableException("yaml.empty", "The document is empty.", new(1, 1), "a workflow");
        Next();
        var (value, node) = ReadValue(0, 0);
        Next();
        Next();
        if (Current is DocumentStart) throw Refused("yaml.multiple_documents", "A second document begins here.", "one document");
        return (value, new SourceMap(_source, node));
    }

    private void Next()
    {
        if (!_parser.MoveNext()) throw new UnreadableException("yaml.syntax", "The text ends too early.", Here);
    }

    private (Json Value, SourceNode Node) ReadValue(int depth, int path)
    {
        CheckSize(depth, path);
        Count(1);
        if (Current is AnchorAlias alias) return Resolve(alias, depth, path);
        var anchor = Current is NodeEvent { Anchor.IsEmpty: false } anchored ? anchored.Anchor.Value : null;
        if (anchor is not null) _anchors[anchor] = null;
        var before = _values;
        (Json Value, SourceNode Node) read = Current switch
        {
            Scalar scalar => ReadScalar(scalar),
            SequenceStart sequence => ReadSequence(sequence, depth, path),
            MappingStart mapping => ReadMapping(mapping, depth, path),
            _ => throw Refused("yaml.syntax", "A value was expected here."),
        };
        if (anchor is not null) _anchors[anchor] = new(read.Value, read.Node, _values - before);
        return read;
    }

    private (Json, SourceNode) ReadScalar(Scalar scalar)
    {
        var node = new SourceNode(SourceMark.Of(scalar.Start), (int)scalar.End.Index, scalar.Style);
        var tag = scalar.Tag.IsEmpty ? null : scalar.Tag.Value;
        if (tag is "!" or "tag:yaml.org,2002:str" || (tag is null && scalar.Style != ScalarStyle.Plain)) return (scalar.Value, node);
        CheckTag(tag, "null", "bool", "int", "float");
        if (!ScalarValue.TryRead(scalar.Value, out var value))
            throw Refused("yaml.number", $"JSON has no form for {scalar.Value}.", "a finite number");
        if (tag is not null && !TagFits(tag, value)) throw Refused("yaml.tag", $"'{scalar.Value}' is no {tag["tag:yaml.org,2002:".Length..]}.");
        return (value, node);
    }

    private static bool TagFits(string tag, Json value) => tag["tag:yaml.org,2002:".Length..] switch
    {
        "null" => value.IsNull,
        "bool" => value.IsBoolean,
        "int" => value.IsNumber && Math.Floor(value.AsNumber()) == value.AsNumber(),
        _ => value.IsNumber,
    };

    private (Json, SourceNode) ReadSequence(SequenceStart start, int depth, int path)
    {
        CheckTag(start.Tag.IsEmpty ? null : start.Tag.Value, "seq");
        var items = new List<Json>();
        var nodes = new List<SourceNode>();
        for (Next(); Current is not SequenceEnd; Next())
        {
            var (value, node) = ReadValue(depth + 1, path + IndexLength);
            items.Add(value);
            nodes.Add(node);
        }
        return (JsonArray.Of(items), new SourceNode(SourceMark.Of(start.Start), (int)Current.End.Index, ScalarStyle.Any)
        {
            Items = nodes,
            Height = 1 + nodes.Select(n => n.Height).DefaultIfEmpty(0).Max(),
            Reach = IndexLength + nodes.Select(n => n.Reach).DefaultIfEmpty(0).Max(),
        });
    }

    private (Json, SourceNode) ReadMapping(MappingStart start, int depth, int path)
    {
        CheckTag(start.Tag.IsEmpty ? null : start.Tag.Value, "map");
        var members = new JsonObject.Builder();
        var nodes = new Dictionary<string, (SourceMark Key, SourceNode Value)>(StringComparer.Ordinal);
        var merged = new HashSet<string>(StringComparer.Ordinal);
        for (Next(); Current is not MappingEnd; Next())
        {
            if (Current is not Scalar key) throw Refused("yaml.key", "A key must be plain text.", "a scalar key");
            Count(1);
            var mark = SourceMark.Of(key.Start);
            Next();
            var (value, node) = ReadValue(depth + 1, path + 1 + key.Value.Length);
            if (key is { Value: "<<", Style: ScalarStyle.Plain })
            {
                Merge(value, node, mark, members, nodes, merged);
                continue;
            }
            if (nodes.TryGetValue(key.Value, out var first) && !merged.Remove(key.Value))
                throw new UnreadableException("yaml.duplicate_key", $"The key '{key.Value}' stands twice, first at line {first.Key.Line}.", mark, "each key once");
            members.Set(key.Value, value);
            nodes[key.Value] = (mark, node);
        }
        return (members.Build(), new SourceNode(SourceMark.Of(start.Start), (int)Current.End.Index, ScalarStyle.Any)
        {
            Members = nodes,
            Height = 1 + nodes.Values.Select(m => m.Value.Height).DefaultIfEmpty(0).Max(),
            Reach = nodes.Select(m => m.Key.Length + 1 + m.Value.Value.Reach).DefaultIfEmpty(0).Max(),
        });
    }

    private static void Merge(Json value, SourceNode node, SourceMark at, JsonObject.Builder members, Dictionary<string, (SourceMark, SourceNode)> nodes, HashSet<string> merged)
    {
        if (value.IsArray)
        {
            for (var i = 0; i < value.AsArray().Count; i++) Merge(value[i], node.Items![i], at, members, nodes, merged);
            return;
        }
        if (!value.IsObject) throw new UnreadableException("yaml.merge", "Only mappings can be merged.", at, "a mapping, or a list of mappings");
        foreach (var (key, member) in value.AsObject().Members)
        {
            if (!nodes.TryAdd(key, node.Members![key])) continue;
            merged.Add(key);
            members.Set(key, member);
        }
    }

    private (Json, SourceNode) Resolve(AnchorAlias alias, int depth, int path)
    {
        if (!_anchors.TryGetValue(alias.Value.Value, out var target)) throw Refused("yaml.alias", $"No anchor '{alias.Value.Value}' stands before this alias.");
        if (target is null) throw Refused("yaml.alias", $"The alias '{alias.Value.Value}' stands inside the value it names.");
        CheckSize(depth + target.Node.Height, path + target.Node.Reach);
        Count(target.Count);
        return (target.Value, target.Node);
    }

    private void CheckSize(int depth, int path)
    {
        if (depth > DepthMax) throw Refused("yaml.limit", "The document is nested too deeply here.", $"at most {DepthMax} levels");
        if (path > PathMax) throw Refused("yaml.limit", "The keys that lead here are too long.", $"at most {PathMax} characters");
    }

    private void Count(int values)
    {
        _values += values;
        if (_values > ValuesMax) throw Refused("yaml.limit", "The document holds too many values, those behind aliases counted.", $"at most {ValuesMax} values");
    }

    private void CheckTag(string? tag, params ReadOnlySpan<string> allowed)
    {
        if (tag is null) return;
        const string Core = "tag:yaml.org,2002:";
        if (!tag.StartsWith(Core, StringComparison.Ordinal) || !allowed.Contains(tag[Core.Length..]))
            throw Refused("yaml.tag", $"The tag '{tag}' is not known here.", "no tag, or one of the core schema");
    }

    private UnreadableException Refused(string code, string message, string? expected = null) => new(code, message, SourceMark.Of(Current.Start), expected);

    private UnreadableException Located(YamlException e)
    {
        // Of a tab in the indentation the parser gives the beginning of the mapping, not the tab.
        if (e.Message.Contains("tab", StringComparison.Ordinal) && TabIndentation() is { } tab)
            return new("yaml.syntax", "The indentation holds a tab.", tab, "spaces");
        // The end of the text is given as the beginning of a line after it.
        return new("yaml.syntax", e.Message, e.Start.Index >= _source.Length ? End : SourceMark.Of(e.Start));
    }

    private SourceMark End => new(_source.AsSpan().Count('\n') + 1, _source.Length - _source.LastIndexOf('\n'), _source.Length);

    private SourceMark? TabIndentation()
    {
        var line = 1;
        for (var at = 0; at < _source.Length; line++)
        {
            var start = at;
            while (at < _source.Length && _source[at] == ' ') at++;
            if (at < _source.Length && _source[at] == '\t') return new(line, at - start + 1, at);
            at = _source.IndexOf('\n', at) + 1;
            if (at == 0) break;
        }
        return null;
    }
}
