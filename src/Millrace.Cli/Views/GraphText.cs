using Millrace.Jq;

namespace Millrace.Cli.Views;

/// <summary>A definition's graph as indented text: each task in the part of its parent it stands in, and where it goes when that is not simply the next.</summary>
internal static class GraphText
{
    public static void Write(Terminal terminal, Json graph)
    {
        var nodes = (graph["nodes"].ArrayOrNull ?? JsonArray.Empty).ToList();
        var names = nodes.ToDictionary(n => (int)n["id"].AsNumber(), n => n["name"].StringOrNull ?? "");
        var byParent = nodes.ToLookup(n => n["parent"].IsNumber ? (int?)n["parent"].AsNumber() : null);
        var byOrigin = (graph["edges"].ArrayOrNull ?? JsonArray.Empty).Where(e => e["from"].IsNumber).ToLookup(e => (int)e["from"].AsNumber());
        WriteChildren(terminal, null, 0, byParent, byOrigin, names);
    }

    private static void WriteChildren(Terminal terminal, int? parent, int depth, ILookup<int?, Json> byParent, ILookup<int, Json> byOrigin, Dictionary<int, string> names)
    {
        string? slot = null;
        foreach (var node in byParent[parent])
        {
            var indent = new string(' ', depth * 2);
            if (node["slot"].StringOrNull is { } s && s != slot && (slot = s) is not "do") terminal.Line($"{indent}{terminal.Paint(s + ":", Ink.Faint)}");
            var id = (int)node["id"].AsNumber();
            var detail = node["detail"].StringOrNull is { } d ? $" {Terminal.Clean(d)}" : "";
            var arrows = string.Join(", ", byOrigin[id].Select(e => Arrow(e, names)));
            terminal.Line($"{indent}{terminal.Paint(Terminal.Clean(names[id]), Ink.Strong)}  {node["kind"].StringOrNull}{detail}{(arrows.Length == 0 ? "" : terminal.Paint($"  → {arrows}", Ink.Faint))}");
            WriteChildren(terminal, id, depth + 1, byParent, byOrigin, names);
        }
    }

    private static string Arrow(Json edge, Dictionary<int, string> names)
    {
        var to = edge["to"].IsNumber && names.TryGetValue((int)edge["to"].AsNumber(), out var name) ? name : "out";
        return Terminal.Clean(edge["label"].StringOrNull is { } label ? $"{label}: {to}" : to);
    }
}
