using Millrace.Jq;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Tests.Graph;

/// <summary>What documents compile to.</summary>
public sealed class GraphTests
{
    private const string Head = "document: {dsl: '1.0.3', namespace: test, name: graph, version: '0.1.0'}\n";

    private static Workflow Load(string source)
    {
        var result = WorkflowLoader.Load(Head + source);
        Assert.DoesNotContain(result.Diagnostics, d => d.Severity == Severity.Error);
        Assert.True(result.IsExecutable);
        return result.Workflow!;
    }

    private static CallBody Call(string source) => Assert.IsType<CallBody>(Load(source).Nodes[0].Body);

    private const string Nested = """
        do:
          - first:
              do:
                - inner: {wait: PT1S}
              then: last
          - loop:
              for: {each: x, in: .xs}
              do:
                - body: {set: {x: 1}}
          - side:
              fork:
                branches:
                  - left: {wait: PT1S}
                  - right/way: {wait: PT1S}
          - last:
              try:
                - risky: {wait: PT1S}
              catch:
                do:
                  - handler: {wait: PT1S}
              then: loop
        """;

    [Fact]
    public void Nodes_are_numbered_in_document_order_and_named_by_their_pointer()
    {
        var workflow = Load(Nested);
        Assert.Equal(
            ["/do/0/first", "/do/0/first/do/0/inner", "/do/1/loop", "/do/1/loop/do/0/body", "/do/2/side", "/do/2/side/fork/branches/0/left",
             "/do/2/side/fork/branches/1/right~1way", "/do/3/last", "/do/3/last/try/0/risky", "/do/3/last/catch/do/0/handler"],
            workflow.Nodes.Select(n => n.Reference));
        Assert.Equal(Enumerable.Range(0, 10), workflow.Nodes.Select(n => n.Index));
        Assert.Equal([3, 5, 7, 10, 11, 14, 15, 16, 18, 21], workflow.Nodes.Select(n => n.Line));
        Assert.Equal([0, 0, 1, 0, 2, 0, 0, 3, 0, 0], workflow.Nodes.Select(n => n.Position));
    }

    [Fact]
    public void Directives_become_places_in_the_own_list()
    {
        var tasks = Load(Nested).Do.Nodes;
        Assert.Equal(new Flow(FlowKind.Goto, 3), tasks[0].Then);
        Assert.Equal(Flow.Continue, tasks[1].Then);
        Assert.Equal(new Flow(FlowKind.Goto, 1), tasks[3].Then);
        Assert.Null(Assert.IsType<TryBody>(tasks[3].Body).Catch.Then);
    }

    [Fact]
    public void The_same_text_gives_the_same_hash_and_another_text_another()
    {
        var workflow = Load("do:\n  - a: {wait: PT1S}\n");
        Assert.Equal(workflow.Hash, Load("do:\n  - a: {wait: PT1S}\n").Hash);
        Assert.NotEqual(workflow.Hash, Load("do:\n  - a: {wait: PT2S}\n").Hash);
        Assert.Matches("^[0-9a-f]{64}$", workflow.Hash);
    }

    [Fact]
    public void A_document_in_JSON_gives_the_same_graph()
    {
        var json = WorkflowLoader.Load("""{"document": {"dsl": "1.0.3", "namespace": "test", "name": "graph", "version": "0.1.0"}, "do": [{"a": {"wait": {"seconds": 1}, "then": "end"}}]}""");
        var node = Assert.Single(json.Workflow!.Nodes);
        Assert.Equal(("/do/0/a", new Flow(FlowKind.End)), (node.Reference, node.Then));
        Assert.Equal("""{"seconds":1}""", Assert.IsType<WaitBody>(node.Body).Duration.ConstantValue.ToString());
    }

    [Fact]
    public void Cases_of_a_switch_keep_their_order_and_the_one_without_a_condition_is_the_default()
    {
        var body = Assert.IsType<SwitchBody>(Load("""
            do:
              - choose:
                  switch:
                    - red: {when: .color == "red", then: last}
                    - other: {then: exit}
              - last: {wait: PT1S}
            """).Nodes[0].Body);
        Assert.Equal(["red", "other"], body.Cases.Select(c => c.Name));
        Assert.Equal(".color == \"red\"", body.Cases[0].When!.Source);
        Assert.Null(body.Cases[1].When);
        Assert.Equal([new Flow(FlowKind.Goto, 1), new Flow(FlowKind.Exit)], body.Cases.Select(c => c.Then));
    }

    [Fact]
    public void Arguments_of_an_http_call_are_those_written_when_nothing_is_to_be_interpolated()
    {
        var call = Call("do:\n  - a: {call: http, with: {method: get, endpoint: https://example.com/pets}}\n");
        Assert.Equal("http", call.Function);
        Assert.Equal("""{"method":"get","endpoint":"https://example.com/pets"}""", call.Arguments.ConstantValue.ToString());
    }

    [Theory]
    [InlineData("'https://example.com/{id}'", true)]
    [InlineData("{uri: 'https://example.com/{id}'}", true)]
    [InlineData("'https://example.com/${ .id }'", false)]
    [InlineData("'${ {a: 1}.a }'", false)]
    [InlineData("'https://example.com/${ .a }/{b}'", true)]
    [InlineData("https://example.com/all", false)]
    public void Arguments_carry_the_input_when_a_URI_has_names_to_fill_in(string endpoint, bool carries)
    {
        var call = Call($"do:\n  - a: {{call: http, with: {{method: get, endpoint: {endpoint}}}}}\n");
        Assert.Equal(carries, call.Arguments is Template.Members members && members.All.Any(m => m.Key == "input"));
    }

    [Fact]
    public void A_policy_that_is_named_stands_in_the_arguments_itself()
    {
        var call = Call("""
            use:
              secrets: [petStore]
              authentications:
                mine: {basic: {use: petStore}}
            do:
              - a: {call: http, with: {method: get, endpoint: {uri: https://example.com, authentication: {use: mine}}}}
            """);
        Assert.Equal("""{"basic":{"use":"petStore"}}""", call.Arguments.ConstantValue!.Value["endpoint"]["authentication"].ToString());
    }

    [Fact]
    public void An_error_in_a_policy_is_located_where_the_policy_is_written()
    {
        var found = Assert.Single(WorkflowLoader.Load(Head + """
            use:
              authentications:
                mine: {bearer: {token: '${ $nothing }'}}
            do:
              - a: {call: http, with: {method: get, endpoint: {uri: https://example.com, authentication: {use: mine}}}}
            """).Diagnostics);
        Assert.Equal(("workflow.bad_expression", 4, "/use/authentications/mine/bearer/token"), (found.Code, found.Line, found.Pointer));
    }

    [Fact]
    public void Processes_are_calls_and_say_what_they_return()
    {
        var shell = Call("do:\n  - a: {run: {shell: {command: ls, arguments: [-l]}, await: false}}\n");
        Assert.Equal(("shell", false), (shell.Function, shell.Await));
        Assert.Equal("""{"command":"ls","arguments":["-l"],"return":"stdout"}""", shell.Arguments.ConstantValue.ToString());

        var script = Call("do:\n  - a: {run: {script: {language: js, code: '1'}, return: all}}\n");
        Assert.Equal(("script", true), (script.Function, script.Await));
        Assert.Equal("""{"language":"js","code":"1","return":"all"}""", script.Arguments.ConstantValue.ToString());
    }

    [Fact]
    public void A_workflow_that_is_run_is_a_child()
    {
        var spawn = Assert.IsType<SpawnBody>(Load("do:\n  - a: {run: {workflow: {namespace: n, name: w, version: latest, input: {x: 1}}, await: false}}\n").Nodes[0].Body);
        Assert.Equal(("n", "w", "latest", false), (spawn.Namespace, spawn.Name, spawn.Version, spawn.Await));
        Assert.Equal("""{"x":1}""", spawn.Input!.ConstantValue.ToString());
    }

    [Fact]
    public void An_event_is_emitted_by_a_call()
    {
        var call = Call("do:\n  - a: {emit: {event: {with: {type: t, source: 'https://example.com', data: {x: 1}, subject: s}}}}\n");
        Assert.Equal(("emit", "emit"), (call.Function, call.Keyword));
        Assert.Equal("""{"type":"t","source":"https://example.com","data":{"x":1},"subject":"s"}""", call.Arguments.ConstantValue.ToString());
    }

    [Fact]
    public void A_function_of_the_document_is_compiled_for_each_call_of_it()
    {
        var workflow = Load("""
            use:
              functions:
                pause:
                  do:
                    - rest: {wait: PT1S}
            do:
              - a: {call: pause, with: {x: 1}}
              - b: {call: pause}
            """);
        Assert.Equal(["/do/0/a", "/use/functions/pause", "/use/functions/pause/do/0/rest", "/do/1/b", "/use/functions/pause", "/use/functions/pause/do/0/rest"], workflow.Nodes.Select(n => n.Reference));
        var first = Assert.IsType<InvokeBody>(workflow.Nodes[0].Body);
        Assert.Same(workflow.Nodes[1], first.Target);
        Assert.Equal("""{"x":1}""", first.Arguments!.ConstantValue.ToString());
        Assert.Null(Assert.IsType<InvokeBody>(workflow.Nodes[3].Body).Arguments);
    }

    [Fact]
    public void A_function_of_the_default_catalog_is_a_call_by_its_full_name()
    {
        var call = Call("do:\n  - a: {call: 'log:1.2.0@default'}\n");
        Assert.Equal("log:1.2.0@default", call.Function);
        Assert.Equal("{}", call.Arguments.ConstantValue.ToString());
    }

    [Fact]
    public void Functions_that_multiply_are_refused_before_they_do()
    {
        var source = Head + "use:\n  functions:\n    f0: {wait: PT1S}\n";
        for (var i = 1; i <= 20; i++) source += $"    f{i}: {{do: [{{a: {{call: f{i - 1}}}}}, {{b: {{call: f{i - 1}}}}}]}}\n";
        var result = WorkflowLoader.Load(source + "do:\n  - a: {call: f20}\n");
        Assert.Null(result.Workflow);
        Assert.Equal("workflow.limit", Assert.Single(result.Diagnostics).Code);
    }

    [Fact]
    public void A_long_chain_of_functions_is_refused()
    {
        var source = Head + "use:\n  functions:\n    f0: {wait: PT1S}\n";
        for (var i = 1; i <= 2000; i++) source += $"    f{i}: {{call: f{i - 1}}}\n";
        var result = WorkflowLoader.Load(source + "do:\n  - a: {call: f2000}\n");
        Assert.Null(result.Workflow);
        Assert.Equal("workflow.limit", Assert.Single(result.Diagnostics).Code);
    }

    [Fact]
    public void A_retry_policy_is_the_same_by_name_as_in_place()
    {
        const string Policy = "{delay: PT3S, backoff: {linear: {increment: PT1S}}, jitter: {from: PT0S, to: PT1S}, limit: {attempt: {count: 5, duration: PT9S}, duration: PT1M}}";
        foreach (var source in new[]
        {
            $"use:\n  retries:\n    patient: {Policy}\ndo:\n  - a:\n      try: [{{b: {{wait: PT1S}}}}]\n      catch: {{retry: patient}}\n",
            $"do:\n  - a:\n      try: [{{b: {{wait: PT1S}}}}]\n      catch: {{retry: {Policy}}}\n",
        })
        {
            var retry = Assert.IsType<TryBody>(Load(source).Nodes[0].Body).Catch.Retry!;
            Assert.Equal((BackoffKind.Linear, 5), (retry.Backoff, retry.AttemptsMax));
            Assert.Equal(["\"PT3S\"", "\"PT1S\"", "\"PT0S\"", "\"PT1S\"", "\"PT9S\"", "\"PT1M\""],
                new[] { retry.Delay, retry.BackoffStep, retry.JitterFrom, retry.JitterTo, retry.AttemptDurationMax, retry.DurationMax }.Select(t => t!.ConstantValue.ToString()!));
        }
    }

    [Fact]
    public void Errors_and_timeouts_are_found_by_name()
    {
        var workflow = Load("""
            use:
              errors:
                gone: {type: https://example.com/gone, status: 410}
              timeouts:
                short: {after: PT5S}
            timeout: short
            do:
              - a:
                  raise: {error: gone}
                  timeout: short
            """);
        Assert.Equal("""{"type":"https://example.com/gone","status":410}""", Assert.IsType<RaiseBody>(workflow.Nodes[0].Body).Error.ConstantValue.ToString());
        Assert.Equal(["\"PT5S\"", "\"PT5S\""], new[] { workflow.Timeout, workflow.Nodes[0].Timeout }.Select(t => t!.ConstantValue.ToString()!));
    }

    [Fact]
    public void A_catch_clause_knows_its_error_and_what_it_catches()
    {
        var clause = Assert.IsType<TryBody>(Load("""
            do:
              - a:
                  try: [{b: {wait: PT1S}}]
                  catch:
                    errors: {with: {status: 503}}
                    as: err
                    when: $err.status > 500
                    exceptWhen: $err.title == "x"
                    retry: {when: '${ $err.status == 503 }'}
                    do: [{c: {set: {e: '${ $err }'}}}]
                    then: end
            """).Nodes[0].Body).Catch;
        Assert.Equal("err", clause.As);
        Assert.Equal("""{"status":503}""", clause.With!.ConstantValue.ToString());
        Assert.Equal(["err"], clause.When!.Variables);
        Assert.Equal("$err.status == 503", clause.Retry!.When!.Source);
        Assert.Equal(new Flow(FlowKind.End), clause.Then);
    }

    [Fact]
    public void A_loop_names_its_item_and_index_for_its_tasks_and_its_condition()
    {
        var loop = Assert.IsType<ForBody>(Load("do:\n  - a:\n      for: {in: '${ .xs }'}\n      while: $index < 3\n      do:\n        - b: {set: {x: '${ [$item, $index] }'}}\n").Nodes[0].Body);
        Assert.Equal(("item", "index"), (loop.Each, loop.At));
        Assert.Equal(["index"], loop.While!.Variables);
    }

    [Fact]
    public void Loose_evaluation_reads_bare_strings_as_expressions_where_they_are_some()
    {
        var set = Assert.IsType<SetBody>(Load("evaluate: {mode: loose}\ndo:\n  - a: {set: {x: .name, y: 'no !! filter'}}\n").Nodes[0].Body);
        var members = Assert.IsType<Template.Members>(set.Value).All;
        Assert.IsType<Template.Loose>(members[0].Value);
        Assert.Equal(Json.Of("no !! filter"), members[1].Value.ConstantValue);
    }

    [Fact]
    public void What_cannot_run_yet_is_loaded_and_says_so()
    {
        var result = WorkflowLoader.Load(Head + """
            schedule: {on: {one: {with: {type: t}}}}
            do:
              - a:
                  listen: {to: {one: {with: {type: t}}}}
                  foreach:
                    item: e
                    do: [{b: {set: {x: '${ $e }'}}}]
              - c: {call: asyncapi, with: {document: {endpoint: https://example.com}, operation: o, protocol: pulsar, message: {payload: {}}}}
              - d: {call: https://example.com/function.yaml}
              - e: {call: asyncapi, with: {document: {endpoint: https://example.com}, operation: o, protocol: sns, message: {payload: {}}}}
            """);
        Assert.False(result.IsExecutable);
        Assert.Equal(5, result.Workflow!.Nodes.Count);
        Assert.NotNull(Assert.IsType<ListenBody>(result.Workflow.Nodes[0].Body).ForEach?.Tasks);
        Assert.All(result.Diagnostics, d => Assert.Equal("workflow.unsupported", d.Code));
        Assert.Equal(["/do/1/c/with/protocol", "/do/2/d/call", "/do/3/e/with/protocol"], result.Diagnostics.Select(d => d.Pointer));
    }

    [Theory]
    [InlineData("evaluate: {language: js}\ndo: [{a: {wait: PT1S}}]", "/evaluate/language")]
    [InlineData("input: {schema: {resource: {endpoint: https://example.com/schema.json}}}\ndo: [{a: {wait: PT1S}}]", "/input/schema/resource/endpoint")]
    [InlineData("input: {schema: {format: 'avro:1.0', document: {}}}\ndo: [{a: {wait: PT1S}}]", "/input/schema/format")]
    [InlineData("do: [{a: {call: https://example.com/function.yaml}}]", "/do/0/a/call")]
    [InlineData("use: {catalogs: {own: {endpoint: https://example.com/catalog}}}\ndo: [{a: {call: log:1.0.0@own}}]", "/do/0/a/call")]
    [InlineData("do: [{a: {call: asyncapi, with: {document: {endpoint: 'https://example.com'}, operation: o, protocol: jms, message: {payload: {}}}}}]", "/do/0/a/with/protocol")]
    [InlineData("do: [{a: {call: asyncapi, with: {document: {endpoint: 'https://example.com'}, operation: o, protocol: http, subscription: {consume: {amount: 1}}}}}]", "/do/0/a/with/subscription")]
    public void Each_thing_that_cannot_run_yet_is_named_where_it_stands(string source, string pointer)
    {
        var result = WorkflowLoader.Load(Head + source + "\n");
        var found = Assert.Single(result.Diagnostics);
        Assert.Equal(("workflow.unsupported", pointer), (found.Code, found.Pointer));
        Assert.NotNull(result.Workflow);
        Assert.False(result.IsExecutable);
    }

    [Fact]
    public void A_later_version_of_the_language_is_shown_and_not_run()
    {
        var result = WorkflowLoader.Load(Head.Replace("1.0.3", "1.1.0", StringComparison.Ordinal) + "do: [{a: {wait: PT1S}}]\n");
        Assert.Equal(("workflow.unsupported", "/document/dsl"), (Assert.Single(result.Diagnostics).Code, result.Diagnostics[0].Pointer));
        Assert.Single(result.Workflow!.Nodes);
    }
}
