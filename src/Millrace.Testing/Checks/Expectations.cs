using System.Xml;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Testing.Scenarios;
using Millrace.Testing.Stage;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Testing.Checks;

/// <summary>Says how what happened differs from what a scenario expects.</summary>
internal static class Expectations
{
    /// <returns>Nothing when all is as expected.</returns>
    public static List<string> Check(Json expect, Played played)
    {
        var differences = new List<string>();
        differences.AddRange(played.Unmocked);
        foreach (var (key, value) in expect.AsObject())
        {
            switch (key)
            {
                case "state": CheckState(value, played, differences); break;
                case "output": Matching.Compare(value, played.Run.State.Output, "output", exact: true, differences); break;
                case "error": Matching.Compare(Typed(value), played.Run.State.Error?.ToJson() ?? Json.Null, "error", exact: false, differences); break;
                case "steps": CheckSteps(value.AsArray(), played, differences); break;
                case "never": CheckNever(value.AsArray(), played, differences); break;
                case "effects": Matching.Compare(value, List(played.Effects.Select(e => e.ToJson())), "effects", exact: false, differences); break;
                case "requests": Matching.Compare(value, List(played.Requests), "requests", exact: false, differences); break;
                case "events": Matching.Compare(value, List(played.Emitted), "events", exact: false, differences); break;
                case "runs": Matching.Compare(value, List(played.Runs), "runs", exact: false, differences); break;
                case "took": CheckTook(value, played, differences); break;
                case "waiting": Matching.Compare(value, List(played.Waiting.Select(w => Waiting(w, played))), "waiting", exact: false, differences); break;
                case "refused": differences.Add("refused: the workflow was not refused"); break;
            }
        }
        return differences;
    }

    /// <returns>Nothing when the document has the findings that are expected.</returns>
    public static List<string> CheckRefusal(Json expect, IReadOnlyList<Diagnostic> findings)
    {
        var errors = findings.Where(f => f.Severity == Severity.Error).ToList();
        var said = string.Concat(errors.Take(5).Select(e => $"\n    {e.Code} at {(e.Pointer.Length == 0 ? "/" : e.Pointer)}: {e.Message}"));
        if (!expect.AsObject().TryGet("refused", out var refused)) return [$"the workflow was refused:{said}"];
        var differences = new List<string>();
        foreach (var one in refused.ArrayOrNull ?? JsonArray.Empty)
            if (!errors.Exists(e => Matching.Like(one, Finding(e)))) differences.Add($"refused: expected a finding {Matching.Shown(one)}, but it was refused for:{said}");
        return differences;
    }

    private static void CheckState(Json expected, Played played, List<string> differences)
    {
        var state = played.Run.State;
        var phase = state.Phase.ToString().ToLowerInvariant();
        if (phase == expected.AsString()) return;
        var why = state.Error is { } error ? $" with {error.ToJson()}" : state.IsFinished ? "" : string.Concat(played.Waiting.Take(3).Select(w => $"; {w.Detail}"));
        differences.Add($"state: expected {expected.AsString()}, was {phase}{why}");
    }

    private static void CheckSteps(JsonArray expected, Played played, List<string> differences)
    {
        var ran = played.Run.Steps.Values.ToList();
        var at = 0;
        foreach (var item in expected)
        {
            var (name, state) = item.ObjectOrNull is { Count: > 0 } one ? (one.Members[0].Key, one.Members[0].Value.StringOrNull) : (item.AsString(), null);
            var found = ran.FindIndex(at, s => (s.Node.Name == name || s.Node.Reference == name) && (state is null ? s.State != StepState.Skipped : Named(s.State) == state));
            if (found < 0)
            {
                var all = string.Join(", ", ran.Select(s => $"{s.Node.Name} {Named(s.State)}"));
                differences.Add($"steps: '{name}'{(state is null ? "" : $" {state}")} did not come {(at == 0 ? "" : "behind the one before it ")}in: {all}");
                return;
            }
            at = found + 1;
        }
    }

    private static void CheckNever(JsonArray expected, Played played, List<string> differences)
    {
        foreach (var name in expected)
            if (played.Run.Steps.Values.Any(s => s.State != StepState.Skipped && (s.Node.Name == name.AsString() || s.Node.Reference == name.AsString()))) differences.Add($"never: '{name.AsString()}' ran");
    }

    private static void CheckTook(Json expected, Played played, List<string> differences)
    {
        var state = played.Run.State;
        var took = TimeSpan.FromMicroseconds(state.IsFinished ? state.EndedAt - state.CreatedAt : played.Ended - state.CreatedAt);
        if (Conditions.IsCondition(expected))
        {
            if (!Conditions.Holds(expected.AsString(), took.TotalSeconds)) differences.Add($"took: {took.TotalSeconds} seconds do not hold {expected.AsString()}");
        }
        else if (!Duration.TryParse(expected, out var wanted, out var reason))
        {
            differences.Add($"took: {reason}");
        }
        else if (took != wanted)
        {
            differences.Add($"took: expected {XmlConvert.ToString(wanted)}, was {XmlConvert.ToString(took)}");
        }
    }

    private static Json Waiting(WaitingFor waiting, Played played)
    {
        var json = new JsonObject.Builder().Set("on", waiting.On.ToString().ToLowerInvariant()).Set("detail", waiting.Detail);
        if (waiting.Reference is { } reference) json.Set("task", reference[(reference.LastIndexOf('/') + 1)..]);
        if (waiting.WakeAt is { } wake) json.Set("wakesIn", XmlConvert.ToString(TimeSpan.FromMicroseconds(wake - played.Ended)));
        if (waiting.Events is { } events) json.Set("events", List(events.Select(e => (Json)(e.Type ?? ""))));
        return json.Build();
    }

    private static Json Finding(Diagnostic d) => new JsonObject.Builder().Set("code", d.Code).Set("pointer", d.Pointer).Set("message", d.Message).Set("line", d.Line).Build();

    private static Json Typed(Json error) =>
        error["type"].StringOrNull is { } type && !Conditions.IsCondition(type) ? error.AsObject().With("type", ScenarioReader.FullType(type)) : error;

    private static string Named(StepState state) => state.ToString().ToLowerInvariant();

    private static Json List(IEnumerable<Json> items) => JsonArray.Of(items.ToArray());
}
