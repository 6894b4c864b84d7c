using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>The chunks of a map. A chunk that has completed leaves its results and nothing else; where they are kept elsewhere, only their place.</summary>
internal sealed class MapWindow : Window
{
    /// <summary>Failures that are told of where results are not kept here.</summary>
    private const int ErrorsMax = 100;

    private readonly MapBody _body;
    private readonly int _chunk;
    private readonly long _failuresMax;
    private readonly double? _percentMax;

    /// <summary>By chunk; null where they are not kept here.</summary>
    private readonly List<JsonArray?>? _results;

    private readonly SortedDictionary<int, Broken> _broken = [];
    private long _cut, _failedItems;
    private int _chunks, _children;
    private bool _exhausted;

    /// <param name="Items">Places in the chunk that failed, with their errors; null when the chunk failed as a whole.</param>
    private sealed record Broken(Unit Unit, WorkflowError Error, IReadOnlyList<(int Place, Json Error)>? Items)
    {
        public int Count => Items?.Count ?? Unit.Only?.Length ?? Unit.Count;
    }

    public MapWindow(MapBody body, SpawnEntry.Opened e)
    {
        _body = body;
        _chunk = e.Chunk;
        Items = e.Items;
        Cursor = e.Cursor ?? Json.Null;
        Source = e.Source is { } reference ? ResultSource.FromJson(reference) : null;
        _exhausted = Source is not null ? Source.Chunks == 0 : Items is null ? Cursor.IsNull : Items.Count == 0;
        _percentMax = e.PercentMax;
        _failuresMax = e.FailuresMax ?? (body.Collect ? long.MaxValue : 0);
        if (body.Results == MapResults.Inline) _results = [];
        else if (body.Results == MapResults.Reference) Results = new ResultIndex(IsBatched);
    }

    public JsonArray? Items { get; }

    /// <summary>What it works on where that is the results of another map.</summary>
    public ResultSource? Source { get; }

    public override ResultIndex? Results { get; }

    /// <summary>The cursor of the next chunk.</summary>
    public Json Cursor { get; private set; }

    /// <summary>Items of the chunks there have been.</summary>
    public long Offset => _cut;

    /// <summary>The number of the next new chunk.</summary>
    public int Next => _chunks;

    public int Chunk => _chunk;

    /// <summary>A child is given an array of inputs.</summary>
    public bool IsBatched => _body.Each && (Items is null || _chunk > 1);

    private protected override bool HasNew => !_exhausted;

    private int? Total => Source is not null ? Source.Chunks : Items is { } items ? (items.Count + _chunk - 1) / _chunk : _exhausted ? _chunks : null;

    public override SpawnProgress Counts => new(
        Total, _chunks - Running - Ready - _broken.Count, _broken.Count, Running, Total - _chunks + Ready, 0, Concurrency)
    {
        FirstError = _broken.Count > 0 ? _broken.First().Value.Error : null,
        Results = _body.Results == MapResults.Inline ? null : _body.Results.ToString().ToLowerInvariant(),
    };

    internal override bool IsOver => _exhausted && Running == 0 && Ready == 0;

    internal override WorkflowError? Failure
    {
        get
        {
            if (_broken.Count == 0) return null;
            if (_percentMax is { } percent ? !IsOver || _failedItems * 100 <= percent * _cut : _failedItems <= _failuresMax) return null;
            var first = _broken.First().Value.Error;
            return _percentMax is null && _failuresMax == 0 ? first : new WorkflowError(ErrorTypes.Runtime, 500, "Too many items failed",
                $"{_failedItems} of {_cut} items failed; {(_percentMax is { } p ? $"{p}%" : _failuresMax)} may. The first: {first.Title} {first.Detail}".TrimEnd());
        }
    }

    internal override bool IsRedrivable => _broken.Count > 0 || Running > 0 || Ready > 0 || HasNew;

    internal override Json OutputOf(Guid run, int step)
    {
        if (_results is not null && !_body.Collect) return AllOf(_results);
        var output = new JsonObject.Builder(4);
        if (_results is not null) output.Set("results", AllOf(_results));
        else if (Results is not null) output.Set("results", ResultSource.Reference(run, step, _children, Results));
        var errors = new List<Json>();
        foreach (var broken in _broken.Values)
        {
            Tell(broken, errors);
            if (_results is null && errors.Count >= ErrorsMax) break;
        }
        if (_results is null && errors.Count > ErrorsMax) errors.RemoveRange(ErrorsMax, errors.Count - ErrorsMax);
        return output.Set("total", _cut).Set("failed", _failedItems).Set("errors", JsonArray.Of(errors)).Build();
    }

    private Json AllOf(List<JsonArray?> chunks)
    {
        var results = new Json[_cut];
        var at = 0;
        foreach (var chunk in chunks)
        {
            // A chunk that is one result for its child is one here, whatever its number of items.
            chunk!.Span.CopyTo(results.AsSpan(at));
            at += chunk.Count;
        }
        return JsonArray.Of(results.AsSpan(0, at));
    }

    /// <summary>Of a result that is not kept here, only which items failed.</summary>
    internal override Json? KeptOf(Json output) =>
        _results is not null ? output : IsBatched && output.IsObject ? Json.Object("errors", output["errors"]) : (Json?)null;

    private static void Tell(Broken broken, List<Json> errors)
    {
        var unit = broken.Unit;
        if (broken.Items is null)
        {
            errors.Add(Error(unit.Offset, unit.Count, unit.Child, broken.Error.ToJson()));
            return;
        }
        foreach (var (place, error) in broken.Items) errors.Add(Error(unit.Offset + place, 1, unit.Child, error));
    }

    private static Json Error(long offset, int count, Guid child, Json error) =>
        new JsonObject.Builder(4).Set("offset", offset).Set("count", count).Set("run", child.ToString()).Set("error", error).Build();

    private protected override void Started(Unit unit) => _children++;

    private protected override Unit Cut(SpawnEntry.ChildStarted e)
    {
        var unit = new Unit(e.Unit) { Offset = e.Offset, Count = e.Count, Cursor = Cursor };
        _results?.Add(null);
        Results?.Add(_body.Each ? e.Offset : e.Unit, _body.Each ? e.Count : 1);
        _chunks++;
        _cut += e.Count;
        if (Source is not null) _exhausted = _chunks >= Source.Chunks;
        else if (Items is { } items) _exhausted = _cut >= items.Count;
        else Move(e.Next ?? Json.Null);
        return unit;
    }

    private protected override void Move(Json next)
    {
        Cursor = next;
        _exhausted = next.IsNull;
    }

    private protected override void Complete(Unit unit, Json output)
    {
        Results?.Set(unit.Index, unit.Child, isAgain: unit.Only is not null);
        if (!IsBatched)
        {
            if (_results is not null) _results[unit.Index] = Json.Array(output).AsArray();
            return;
        }
        if (_results is not null)
        {
            var results = output["results"].ArrayOrNull ?? output.AsArray();
            _results[unit.Index] = unit.Only is null ? results : Patched(_results[unit.Index]!, unit, results);
        }
        if (!output.IsObject) return;
        var failed = new List<(int, Json)>();
        foreach (var one in output["errors"].AsArray().Span)
        {
            var index = (int)one["index"].AsNumber();
            failed.Add((unit.Only?[index] ?? index, one["error"]));
        }
        Break(new Broken(unit, WorkflowError.FromJson(failed[0].Item2), failed));
    }

    /// <summary>The chunk's results with those of the items that were carried out again.</summary>
    private static JsonArray Patched(JsonArray first, Unit unit, JsonArray again)
    {
        var results = first.Span.ToArray();
        for (var i = 0; i < again.Count; i++) results[unit.Only![i]] = again[i];
        return JsonArray.Of(results);
    }

    private protected override void Fail(Unit unit, WorkflowError error, RunPhase phase)
    {
        if (_results is not null) _results[unit.Index] ??= JsonArray.Of(_body.Each ? new Json[unit.Count] : new Json[1]);
        var again = unit.Only is { } only ? System.Array.ConvertAll(only, place => (place, error.ToJson())) : null;
        Break(new Broken(unit, error, again));
    }

    private void Break(Broken broken)
    {
        _broken[broken.Unit.Index] = broken;
        _failedItems += broken.Count;
    }

    private protected override void Renew()
    {
        foreach (var (index, broken) in _broken)
        {
            var unit = broken.Unit;
            Queue(new Unit(index) { Offset = unit.Offset, Count = unit.Count, Cursor = unit.Cursor, Only = broken.Items is { } items ? [.. items.Select(i => i.Place)] : unit.Only });
        }
        _broken.Clear();
        _failedItems = 0;
    }
}
