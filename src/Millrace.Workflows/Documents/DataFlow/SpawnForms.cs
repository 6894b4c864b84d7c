using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents.DataFlow;

/// <summary>Forms of what map and swarm give, and of what the expressions about one child can read.</summary>
internal static class SpawnForms
{
    private static readonly Form Failure = Form.Object(("offset", Form.Number), ("count", Form.Number), ("run", Form.String), ("error", StandardForms.Error));

    private static readonly Form Result = Form.Object(
        ("state", Form.String), ("run", Form.String.Or(Form.Null)), ("output", Form.Any), ("error", StandardForms.Error.Or(Form.Null)), ("reason", Form.String.Or(Form.Null)));

    /// <summary>Finds the form of a template that can read variables of its own.</summary>
    public delegate Form? Forms(Template? template, params ReadOnlySpan<(string Name, Form Form)> own);

    public static Form Of(ChildrenBody body, Forms of)
    {
        of(body.Concurrency);
        if (body is MapBody map) return Map(map, of);
        var swarm = (SwarmBody)body;
        foreach (var node in swarm.Nodes)
        {
            var needs = Form.Object(node.Needs.Select(n => KeyValuePair.Create(swarm.Nodes[n].Name, Result)));
            of(node.Child.Input, ("needs", needs));
            of(node.Delay, ("needs", needs));
            of(node.Timeout, ("needs", needs));
        }
        return Form.Object(swarm.Nodes.Select(n => KeyValuePair.Create(n.Name, Result)));
    }

    private static Form Map(MapBody map, Forms of)
    {
        of(map.Chunk);
        of(map.Tolerance);
        var items = of(map.Items) ?? Form.Any;
        if (map.Pages is { } pages)
        {
            of(pages.First);
            items = of(pages.Items, ("cursor", Form.Any)) ?? Form.Any;
            of(pages.Next, ("cursor", Form.Any));
        }
        var item = items.Items;
        (string, Form)[] own = map.Each ? [("item", item), ("index", Form.Number)] : [("items", Form.Array(item)), ("offset", Form.Number)];
        of(map.Child.Input, own);
        of(map.Key, own);
        var results = map.Results == MapResults.Inline
            ? Form.Array(Form.Any)
            : Form.Object(("run", Form.String), ("step", Form.Number), ("chunks", Form.Number), ("children", Form.Number), ("sizes", Form.Array(Form.Any)));
        if (map is { Results: MapResults.Inline, Collect: false }) return results;
        (string, Form)[] told = [("total", Form.Number), ("failed", Form.Number), ("errors", Form.Array(Failure))];
        return Form.Object(map.Results == MapResults.None ? told : [("results", results), .. told]);
    }
}
