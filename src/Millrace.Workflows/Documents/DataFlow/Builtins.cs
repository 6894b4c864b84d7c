namespace Millrace.Workflows.Documents.DataFlow;

/// <summary>How a built-in of jq reads its arguments.</summary>
internal enum Reads : byte
{
    /// <summary>They may stand for anything, or name places that need not exist.</summary>
    Elsewhere,

    /// <summary>Each is evaluated on the built-in's own input.</summary>
    Input,

    /// <summary>Each is evaluated on every item of the input.</summary>
    Items,
}

/// <summary>What is known of jq's built-ins: what they give, and on what their arguments are evaluated. Others give anything.</summary>
/// <param name="Gives">Null: the input itself.</param>
/// <param name="MayBeEmpty">It can give nothing at all.</param>
internal sealed record Builtin(Form? Gives, Reads Reads = Reads.Input, bool MayBeEmpty = false)
{
    private static readonly Form Strings = Form.Array(Form.String);

    private static readonly Dictionary<string, Builtin> All = new(StringComparer.Ordinal);

    static Builtin()
    {
        Add(new(Form.Number), "length/0", "utf8bytelength/0", "now/0", "floor/0", "ceil/0", "round/0", "sqrt/0", "fabs/0", "tonumber/0", "mktime/0", "fromdateiso8601/0", "fromdate/0", "infinite/0", "nan/0", "pow/2", "log/0", "log2/0", "log10/0", "exp/0", "trunc/0");
        Add(new(Form.String), "tostring/0", "tojson/0", "type/0", "ascii_downcase/0", "ascii_upcase/0", "join/1", "implode/0", "todate/0", "todateiso8601/0", "ltrimstr/1", "rtrimstr/1", "trim/0", "ltrim/0", "rtrim/0", "sub/2", "sub/3", "gsub/2", "gsub/3", "strftime/1", "ascii/0");
        Add(new(Form.Boolean), "not/0", "has/1", "contains/1", "inside/1", "startswith/1", "endswith/1", "test/1", "test/2", "isnan/0", "isinfinite/0", "isempty/1", "IN/1", "any/0", "all/0");
        Add(new(Form.Boolean, Reads.Items), "any/1", "all/1");
        Add(new(Strings), "split/1", "split/2", "ascii/1");
        Add(new(Form.Array(Form.Any)), "to_entries/0", "explode/0", "indices/1", "combinations/0", "transpose/0", "flatten/0", "flatten/1", "paths/0", "splits/1", "tostream/0");
        Add(new(Form.Array(Form.Any), Reads.Items), "group_by/1");
        Add(new((Form?)null), "sort/0", "reverse/0", "unique/0", "debug/0", "stderr/0");
        Add(new(null, Reads.Items), "sort_by/1", "unique_by/1");
        Add(new(null, Reads.Input, MayBeEmpty: true), "values/0", "strings/0", "numbers/0", "objects/0", "arrays/0", "booleans/0", "scalars/0", "iterables/0");
        Add(new(Form.Any, Reads.Items), "min_by/1", "max_by/1");
        Add(new(Form.Any, Reads.Input, MayBeEmpty: true), "first/1", "last/1", "limit/2", "range/1", "range/2", "range/3", "nth/2", "error/1", "add/1", "fromjson/0", "index/1", "rindex/1", "match/1", "match/2", "capture/1", "capture/2", "scan/1");
        Add(new(Form.Any, Reads.Elsewhere), "del/1", "path/1", "getpath/1", "paths/1", "to_entries/1", "with_entries/1", "map_values/1", "pick/1");
    }

    /// <returns>Null for those of which nothing is known.</returns>
    public static Builtin? Find(string name, int arguments) => All.GetValueOrDefault($"{name}/{arguments}");

    private static void Add(Builtin builtin, params ReadOnlySpan<string> names)
    {
        foreach (var name in names) All[name] = builtin;
    }
}
