using Millrace.Jq.Syntax;

namespace Millrace.Jq.Builtins;

/// <summary>Built-ins that are filters themselves. They may use one another, but not in a circle.</summary>
internal static class Prelude
{
    private const string Source = """
        def map(f): [.[] | f];
        def select(f): if f then . else empty end;
        def recurse(f): def r: ., (f | r); r;
        def recurse(f; cond): def r: ., (f | select(cond) | r); r;
        def recurse: recurse(.[]?);
        def values: select(. != null);
        def nulls: select(. == null);
        def strings: select(type == "string");
        def numbers: select(type == "number");
        def booleans: select(type == "boolean");
        def arrays: select(type == "array");
        def objects: select(type == "object");
        def iterables: select(type | . == "array" or . == "object");
        def scalars: select(type | . != "array" and . != "object");
        def finites: select(isfinite);
        def normals: select(isnormal);
        def map_values(f): .[] |= f;
        def with_entries(f): to_entries | map(f) | from_entries;
        def del(f): delpaths([path(f)]);
        def paths: path(..) | select(length > 0);
        def paths(f): path(.. | select(f)) | select(length > 0);
        def leaf_paths: paths(scalars);
        def pick(f): . as $top | reduce path(f) as $p (null; setpath($p; $top | getpath($p)));
        def add(f): reduce f as $x (null; . + $x);
        def any(f): any(.[]; f);
        def all(f): all(.[]; f);
        def in(xs): . as $x | xs | has($x);
        def inside(xs): . as $x | xs | contains($x);
        def first: .[0];
        def last: .[-1];
        def nth($n): .[$n];
        def limit($n; f): if $n > 0 then _limit($n; f) elif $n == 0 then empty else error("limit doesn't support negative count") end;
        def skip($n; f): if $n > 0 then _skip($n; f) elif $n == 0 then f else error("skip doesn't support negative count") end;
        def nth($n; f): if $n < 0 then error("nth doesn't support negative indices") else first(skip($n; f)) end;
        def until(cond; update): def _until: if cond then . else (update | _until) end; _until;
        def while(cond; update): def _while: if cond then ., (update | _while) else empty end; _while;
        def repeat(f): def _repeat: f, _repeat; _repeat;
        def inputs: try repeat(input) catch if . == "break" then empty else error end;
        def range($x): range(0; $x);
        def walk(f): def w: if type == "object" then map_values(w) elif type == "array" then map(w) else . end | f; w;
        def combinations: if length == 0 then [] else .[0][] as $x | (.[1:] | combinations) as $w | [$x] + $w end;
        def combinations(n): . as $dot | [range(n)] | map($dot) | combinations;
        def sort_by(f): _sort_by(map([f]));
        def group_by(f): _group_by(map([f]));
        def unique_by(f): _unique_by(map([f]));
        def min_by(f): _min_by(map([f]));
        def max_by(f): _max_by(map([f]));
        def match($re): _match($re; null) | .[];
        def match($re; $flags): _match($re; $flags) | .[];
        def capture($re): match($re) | _captures;
        def capture($re; $flags): match($re; $flags) | _captures;
        def scan($re): scan($re; null);
        def scan($re; $flags): match($re; "g" + $flags) | if (.captures | length) > 0 then [.captures[].string] else .string end;
        def splits($re): split($re; null) | .[];
        def splits($re; $flags): split($re; $flags) | .[];
        def sub($re; f; $flags): _match($re; $flags) as $found | if $found == [] then . else _splice($found; [$found[] | [_captures | f]]) | .[] end;
        def sub($re; f): sub($re; f; "");
        def gsub($re; f; $flags): sub($re; f; $flags + "g");
        def gsub($re; f): sub($re; f; "g");
        def todate: strftime("%Y-%m-%dT%H:%M:%SZ");
        def fromdateiso8601: strptime("%Y-%m-%dT%H:%M:%SZ") | mktime;
        def todateiso8601: todate;
        def fromdate: fromdateiso8601;
        def date: todate;
        def dateadd(u; n): . + n;
        def datesub(u; n): . - n;
        def tostream: path(def r: (.[]?|r), .; r) as $p | getpath($p) | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);
        def fromstream(f): {x: null, e: false} as $init
          | foreach f as $i ($init;
              if .e then $init else . end
              | if $i | length == 2
                then setpath(["e"]; $i[0] | length == 0) | setpath(["x"] + $i[0]; $i[1])
                else setpath(["e"]; $i[0] | length == 1) end;
              if .e then .x else empty end);
        def truncate_stream(stream): . as $n | null | stream | . as $input | if (.[0] | length) > $n then setpath([0]; .[0][$n:]) else empty end;
        def debug(msgs): (msgs | debug | empty), .;
        def halt_error: halt_error(5);
        def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] |= $row);
        def INDEX(f): INDEX(.[]; f);
        def GROUP_BY(f): group_by(f);
        def JOIN($idx; f): [.[] | [., $idx[f]]];
        def JOIN($idx; stream; f): stream | [., $idx[f]];
        def JOIN($idx; stream; f; g): stream | [., $idx[f]] | g;
        def IN(s): any(s == .; .);
        def IN(src; s): any(src == s; .);
        """;

    private static readonly Dictionary<(string, int), Definition> Definitions = Load();

    public static Definition? Find(string name, int arity) => Definitions.GetValueOrDefault((name, arity));

    public static IEnumerable<(string Name, int Arity)> Names => Definitions.Keys;

    private static Dictionary<(string, int), Definition> Load()
    {
        var definitions = new Dictionary<(string, int), Definition>();
        foreach (var definition in Parser.ParseDefinitions(Source)) definitions[(definition.Name, definition.Parameters.Count)] = definition;
        return definitions;
    }

    /// <summary>Resolution looks names up here, so it comes after the names are known.</summary>
    static Prelude()
    {
        foreach (var definition in Definitions.Values) new Resolver([]).Resolve(definition);
    }
}
