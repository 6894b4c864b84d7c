using System.Globalization;
using System.Text;
using Millrace.Jq;
using Millrace.Workflows;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;

namespace Millrace.Testing.Scenarios;

/// <summary>Reads scenario files. All that is wrong with one is told at once, each with its place.</summary>
public static class ScenarioReader
{
    public const int ScenariosMax = 2_000, WorkflowBytesMax = 1 << 20;

    /// <summary>How much time passes at most in a scenario that does not say.</summary>
    private static readonly TimeSpan UntilDefault = TimeSpan.FromDays(366);

    /// <summary>Schedules never end by themselves.</summary>
    private static readonly TimeSpan UntilScheduled = TimeSpan.FromHours(1);

    private static readonly Json Head = JsonText.Parse("""{"dsl":"1.0.3","namespace":"test","name":"scenario","version":"1.0.0"}""");

    /// <summary>Never throws for what stands in the source.</summary>
    /// <param name="path">Of the file; paths in it are taken from its folder.</param>
    public static ScenarioFile Read(string path, string source)
    {
        Findings? findings = null;
        try
        {
            var (value, map) = DocumentReader.Read(source);
            findings = new Findings(map);
            ScenarioShape.File.Check(value, "", findings);
            Conditions.Check(value, findings);
            if (findings.Any) return new ScenarioFile(path, source, [], Renamed(findings));
            var scenarios = new Of(path, new Cursor(value, ""), findings).All();
            return new ScenarioFile(path, source, findings.Any ? [] : scenarios, Renamed(findings));
        }
        catch (UnreadableException e)
        {
            findings ??= new Findings(new SourceMap(source, new SourceNode(e.At, 0, default)));
            findings.Add(Severity.Error, e.Code, "", e.Message, e.At, e.Expected);
            return new ScenarioFile(path, source, [], Renamed(findings));
        }
    }

    /// <summary>The shapes speak of workflows; here they are of scenarios.</summary>
    private static List<Diagnostic> Renamed(Findings findings) =>
        [.. findings.ToList().Select(d => d with { Code = d.Code.Replace("workflow.", "scenario.", StringComparison.Ordinal) })];

    private sealed class Of(string path, Cursor file, Findings findings)
    {
        public List<Scenario> All()
        {
            var names = new HashSet<string>(StringComparer.Ordinal);
            var all = new List<Scenario>();
            foreach (var one in file["scenarios"].Items)
            {
                if (all.Count == ScenariosMax)
                {
                    findings.AtKey("scenario.limit", one.Pointer, $"A file has at most {ScenariosMax} scenarios.");
                    break;
                }
                var name = one["name"].Text!;
                if (!names.Add(name)) findings.AtValue("scenario.duplicate", one["name"].Pointer, "Another scenario of this file has the same name.");
                all.Add(Read(one, name));
            }
            return all;
        }

        private Scenario Read(Cursor one, string name)
        {
            var workflow = Common(one, "workflow");
            if (workflow.IsAbsent) findings.AtKey("scenario.missing_property", one.Pointer, "Neither the scenario nor its file says which workflow is run.", "workflow: the path of its file, or the document itself");
            var script = one["events"].Items.Select(Event).Concat(one["signals"].Items.Select(Signal)).ToList();
            var restart = Common(one, "restart");
            if (restart.Is(JsonKind.Object) && !restart["at"].IsAbsent) script.Add(new ScriptItem.Outage(Span(restart["at"]), Span(restart["for"])));
            return new Scenario(path, findings.Map.Key(one.Pointer).Line, name)
            {
                Spec = Common(one, "spec").Text ?? "",
                Workflow = workflow.IsAbsent ? "" : Document(workflow),
                Workflows = [.. Common(one, "workflows").Items.Select(Document)],
                Input = Common(one, "input") is { IsAbsent: false } input ? input.Value : Json.EmptyObject,
                Secrets = Common(one, "secrets").Value,
                Now = Common(one, "now").Text is { } now ? DateTimeOffset.Parse(now, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal) : new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero),
                Until = Common(one, "until") is { IsAbsent: false } until ? Span(until) : Common(one, "scheduled").Value.IsTruthy ? UntilScheduled : UntilDefault,
                // A scenario's own mocks come first, so that they win over those of the file.
                Mocks = [.. one["mocks"].Items.Concat(file["mocks"].Items).Select(Mock)],
                Script = [.. script.OrderBy(s => s.At)],
                Gap = Common(one, "gap").Text ?? "",
                Scheduled = Common(one, "scheduled").Value.IsTruthy,
                Restart = restart.Text == "everywhere" ? new Restart(true, null) : restart.Text == "never" ? new Restart(false, null, Forbidden: true) : new Restart(false, restart["after"].Value is { IsNumber: true } after ? (long)after.AsNumber() : null),
                Expect = one["expect"].Value,
            };
        }

        private Cursor Common(Cursor one, string key) => one.Value.AsObject().Has(key) ? one[key] : file[key];

        private string Document(Cursor workflow)
        {
            if (workflow.Is(JsonKind.Object))
            {
                var document = workflow.Value.AsObject();
                return (document.Has("document") ? workflow.Value : Json.Of(With(document))).ToString();
            }
            var text = workflow.Text!;
            return text.Contains('\n', StringComparison.Ordinal) ? text : FileAt(workflow, text);
        }

        private static JsonObject With(JsonObject tasks)
        {
            var all = new JsonObject.Builder().Set("document", Head);
            foreach (var (key, value) in tasks) all.Set(key, value);
            return all.Build();
        }

        private string FileAt(Cursor place, string name)
        {
            var full = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, name);
            try
            {
                if (new FileInfo(full).Length <= WorkflowBytesMax) return new UTF8Encoding(false, true).GetString(System.IO.File.ReadAllBytes(full));
                findings.AtValue("scenario.limit", place.Pointer, $"'{name}' has more than {WorkflowBytesMax} bytes.");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or DecoderFallbackException)
            {
                findings.AtValue("scenario.no_file", place.Pointer, $"'{name}' cannot be read: {e.Message}", "the path of a workflow's file, seen from this one");
            }
            return "";
        }

        private static ScriptItem Event(Cursor item, int index)
        {
            var given = item["event"].Value.AsObject();
            var all = new JsonObject.Builder().Set("specversion", "1.0").Set("id", $"event-{index + 1}").Set("source", "https://scenario.test");
            foreach (var (key, value) in given) all.Set(key, value);
            return new ScriptItem.Event(Span(item["at"]), all.Build());
        }

        private static ScriptItem Signal(Cursor item)
        {
            var (wish, said) = item.Members.First(m => m.Key is not ("at" or "workflow"));
            var (at, workflow) = (Span(item["at"]), item["workflow"].Text);
            return wish switch
            {
                "decide" => Decide(at, said),
                "signal" => new ScriptItem.Tell(at, said["name"].Text!, said.Value.AsObject().TryGet("data", out var data) ? data : (Json?)null, workflow),
                "retry" => new ScriptItem.Retry(at, said.Text),
                "redrive" => new ScriptItem.Redrive(at, said.Text!),
                "concurrency" => new ScriptItem.Concurrency(at, said["task"].Text!, (int)said["to"].Value.AsNumber()),
                "hold" or "release" => new ScriptItem.Hold(at, wish == "hold", said.Text, workflow),
                _ => new ScriptItem.Signal(at, wish, said.Text, workflow),
            };
        }

        private static ScriptItem.Decide Decide(TimeSpan at, Cursor said) => new(at, said["task"].Text!, said["show"].Value, said["by"].Text!,
            said["delegate"].IsAbsent ? !said["approve"].IsAbsent : null, said["delegate"].Text, said["comment"].Text, said["form"].Value);

        private Mock Mock(Cursor mock) => new(mock.Pointer, findings.Map.Key(mock.Pointer).Line)
        {
            Call = mock["call"].Text,
            Request = mock["request"].Value,
            Task = mock["task"].Text,
            Workflow = mock["workflow"].Text,
            Input = mock.Value.AsObject().Has("input") ? mock["input"].Value : (Json?)null,
            With = mock["with"].Value,
            Answer = Answer(mock),
            After = Span(mock["after"]),
            Times = mock["times"].Value is { IsNumber: true } times ? (int)times.AsNumber() : int.MaxValue,
        };

        private static MockAnswer Answer(Cursor mock)
        {
            if (!mock["hangs"].IsAbsent) return new MockAnswer.Hangs();
            if (!mock["refuses"].IsAbsent) return new MockAnswer.Refuses();
            if (mock.Value.AsObject().Has("responds"))
            {
                var response = mock["responds"];
                return new MockAnswer.Responds(response["status"].Value is { IsNumber: true } status ? (int)status.AsNumber() : 200, response["headers"].Value, response["body"].Value);
            }
            if (mock.Value.AsObject().Has("exits"))
            {
                var end = mock["exits"];
                return new MockAnswer.Exits(end["code"].Value is { IsNumber: true } code ? (int)code.AsNumber() : 0, end["stdout"].Text ?? "", end["stderr"].Text ?? "");
            }
            if (mock.Value.AsObject().Has("outputs")) return new MockAnswer.Outputs(mock["outputs"].Value);
            if (!mock.Value.AsObject().Has("faults")) return new MockAnswer.Returns(mock["returns"].Value);
            var fault = mock["faults"].Value.AsObject();
            var error = WorkflowError.FromJson(fault.With("type", FullType(fault.TryGet("type", out var type) ? type.AsString() : "runtime")));
            return new MockAnswer.Faults(error);
        }

        private static TimeSpan Span(Cursor value) => value.Text is { } text && Duration.TryParse(text, out var span, out _) ? span : TimeSpan.Zero;
    }

    /// <summary>The specification's own types may be written with their last word.</summary>
    internal static string FullType(string type) => type.Contains(':', StringComparison.Ordinal) || type.Contains('/', StringComparison.Ordinal) ? ErrorTypes.Normalize(type) : ErrorTypes.Family + type;
}
