using System.Globalization;
using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>Cuts a collection into chunks and says what the child of each is given.</summary>
internal static class MapPlan
{
    private const int KeyMax = 200;

    public static SpawnEntry.Opened Open(Step step, MapBody map, int concurrency, StepVariables variables)
    {
        var (failures, percent) = Tolerance(map.Tolerance?.Evaluate(step.Input, variables));
        if (map.Pages is { } pages)
            return new SpawnEntry.Opened(step.Id, concurrency) { Cursor = pages.First.Evaluate(step.Input, variables), FailuresMax = failures, PercentMax = percent };
        var value = map.Items!.Evaluate(step.Input, variables);
        if (ResultSource.FromJson(value) is not null)
        {
            if (map.Chunk is not null) throw Wrong("'in' refers to results that are cut into chunks already; 'chunk' cuts a list.");
            return new SpawnEntry.Opened(step.Id, concurrency) { Source = value, FailuresMax = failures, PercentMax = percent };
        }
        var items = value.IsNull ? JsonArray.Empty : value.ArrayOrNull ?? throw Wrong($"'in' is {Spawning.Shortened(value)}; expected an array.");
        return new SpawnEntry.Opened(step.Id, concurrency)
        {
            Items = items,
            Chunk = map.Chunk is null ? 1 : Spawning.Whole(map.Chunk.Evaluate(step.Input, variables), "chunk", ChildrenBody.ChunkMax),
            FailuresMax = percent is { } of100 ? (long)Math.Floor(items.Count * of100 / 100) : failures,
        };
    }

    public static void Start(Decision on, Step step, MapWindow window)
    {
        var map = (MapBody)step.Node.Body;
        var variables = new StepVariables(on, step);
        var again = window.FirstReady;
        if (window.Source is { } source)
        {
            var unit = again?.Index ?? window.Next;
            var (at, count) = source.SizeOf(unit);
            var child = new SpawnEntry.ChildStarted(step.Id, on.Around.NewId(), unit) { Offset = at, Count = count };
            on.Emit(child);
            on.Commands.Add(new Command.Spawn(step, child.Child, map.Child, Json.Null) { From = source.Of(unit, again?.Only) });
            return;
        }
        JsonArray items;
        Json? next = null;
        if (window.Items is { } all)
        {
            var offset = (int)(again?.Offset ?? window.Offset);
            items = all.Slice(offset, Math.Min(offset + (again?.Count ?? window.Chunk), all.Count));
        }
        else
        {
            var cursor = new SpawnVariables(variables, "cursor", again is null ? window.Cursor : again.Cursor);
            items = Page(map.Pages!.Items.Evaluate(step.Input, cursor));
            if (again is null) next = map.Pages.Next.Evaluate(step.Input, cursor);
            else if (items.Count != again.Count) throw Wrong($"The cursor gave {again.Count} items at first and gives {items.Count} now.");
        }
        if (items.Count == 0)
        {
            on.Emit(new SpawnEntry.CursorMoved(step.Id, next!.Value));
            return;
        }
        var started = new SpawnEntry.ChildStarted(step.Id, on.Around.NewId(), again?.Index ?? window.Next)
        {
            Offset = again?.Offset ?? window.Offset,
            Count = items.Count,
            Next = next is { IsNull: false } ? next : null,
        };
        var (input, part) = Given(step, map, window, variables, items, started.Offset, again?.Only);
        Spawning.Spawn(on, step, map.Child, started, input, part);
    }

    /// <summary>What a child is given whose items are read only when it begins.</summary>
    public static Command.Spawn Fill(Decision on, Command.Spawn asked, JsonArray items)
    {
        var window = (MapWindow)asked.Step.Window!;
        var (offset, count) = window.Source!.SizeOf(asked.From!.Chunk);
        if (items.Count != count) throw Wrong($"The results that 'in' refers to were {count} for its chunk {asked.From.Chunk} and are {items.Count} now.");
        var (input, part) = Given(asked.Step, (MapBody)asked.Step.Node.Body, window, new StepVariables(on, asked.Step), items, offset, asked.From.Only);
        return asked with { Input = input, Part = part, From = null };
    }

    /// <summary>The child's input, and what else it is told.</summary>
    private static (Json Input, Part? Part) Given(Step step, MapBody map, MapWindow window, StepVariables variables, JsonArray items, long offset, int[]? only)
    {
        if (!map.Each)
        {
            var chunk = new SpawnVariables(variables, "items", items, "offset", offset);
            var input = map.Child.Input?.Evaluate(step.Input, chunk) ?? Json.Object("items", items, "offset", offset);
            return (input, map.Key is null ? null : new Part(false, false) { Keys = [KeyOf(map.Key.Evaluate(step.Input, chunk))] });
        }
        var count = only?.Length ?? items.Count;
        var inputs = new Json[count];
        var keys = map.Key is null ? null : new string[count];
        for (var i = 0; i < count; i++)
        {
            var place = only?[i] ?? i;
            var one = new SpawnVariables(variables, "item", items[place], "index", offset + place);
            inputs[i] = map.Child.Input?.Evaluate(step.Input, one) ?? items[place];
            if (keys is not null) keys[i] = KeyOf(map.Key!.Evaluate(step.Input, one));
        }
        if (window.IsBatched) return (JsonArray.Of(inputs), new Part(true, map.Collect) { Keys = keys });
        return (inputs[0], keys is null ? null : new Part(false, false) { Keys = keys });
    }

    private static JsonArray Page(Json value)
    {
        if (value.IsNull) return JsonArray.Empty;
        var items = value.ArrayOrNull ?? throw Wrong($"'in.items' is {Spawning.Shortened(value)}; expected an array.");
        return items.Count <= ChildrenBody.ChunkMax ? items : throw Wrong($"'in.items' gives {items.Count} items for one cursor; at most {ChildrenBody.ChunkMax} are allowed.");
    }

    private static string KeyOf(Json value)
    {
        var text = value.StringOrNull ?? (value.IsNumber ? value.ToString() : "");
        return text.Length is > 0 and <= KeyMax ? text : throw Wrong($"'key' is {Spawning.Shortened(value)}; expected a text of 1 to {KeyMax} characters, or a number.");
    }

    private static (long? Failures, double? Percent) Tolerance(Json? value)
    {
        if (value is not { } given) return (null, null);
        if (given.IsNumber && given.AsNumber() >= 0 && Math.Floor(given.AsNumber()) == given.AsNumber()) return ((long)given.AsNumber(), null);
        if (given.StringOrNull is { } text && text.EndsWith('%')
            && double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent) && percent <= 100) return (null, percent);
        throw Wrong($"'onError.tolerate' is {Spawning.Shortened(given)}; expected a number of items or a percentage such as \"5%\".");
    }

    private static WorkflowFault Wrong(string detail) => new(new WorkflowError(ErrorTypes.Validation, 400, "Invalid argument", detail));
}
