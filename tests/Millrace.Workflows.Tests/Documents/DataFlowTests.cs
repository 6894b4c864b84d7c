using Millrace.Workflows.Documents;

namespace Millrace.Workflows.Tests.Documents;

/// <summary>Warnings about data before any run: what can only fail or only be null, and nothing that may work.</summary>
public sealed class DataFlowTests
{
    private const string Head = "document: {dsl: '1.0.3', namespace: test, name: flow, version: '0.1.0'}\n";

    private const string Pet = "input: {schema: {document: {type: object, additionalProperties: false, required: [pet, count], properties: {count: {type: integer}, pet: {type: object, properties: {name: {type: string}}}, tags: {type: array, items: {type: string}}}}}}\n";

    private static IEnumerable<string> Warnings(string source)
    {
        var result = WorkflowLoader.Load(Head + source);
        Assert.DoesNotContain(result.Diagnostics, d => d.Severity == Severity.Error);
        return result.Diagnostics.Select(d => $"{d.Code["workflow.".Length..]} {d.Line}:{d.Column}");
    }

    /// <summary>One task that sets x to the expression, after one that sets the value.</summary>
    private static string After(string value, string expression) => $"do:\n  - first:\n      set: {value}\n  - second:\n      set:\n        x: |-\n          ${{ {expression} }}\n";

    [Theory]
    [InlineData("{a: 1}", ".b", "unknown_field 8:14")]
    [InlineData("{a: {b: 1}}", ".a.c", "unknown_field 8:16")]
    [InlineData("{a: text}", ".a.b", "type_mismatch 8:16")]
    [InlineData("{a: 5}", ".a[0]", "type_mismatch 8:17")]
    [InlineData("{a: 5}", ".a[]", "type_mismatch 8:14")]
    [InlineData("{a: 5}", ".a[1:2]", "type_mismatch 8:14")]
    [InlineData("{a: [1]}", ".a.b", "type_mismatch 8:16")]
    [InlineData("{a: [1]}", ".a + 1", "type_mismatch 8:14")]
    [InlineData("{a: text}", ".a * \"b\"", "type_mismatch 8:14")]
    [InlineData("{a: text}", "-.a", "type_mismatch 8:14")]
    [InlineData("{a: [text]}", ".a | map(.b)", "type_mismatch 8:23")]
    [InlineData("{a: text}", "{b: .a} | .c", "unknown_field 8:24")]
    [InlineData("{a: text}", ". as $v | $v.b", "unknown_field 8:26")]
    [InlineData("{a: text}", "\"\\(.b)\"", "unknown_field 8:17")]
    [InlineData("{a: text}", "if .b then 1 else 2 end", "unknown_field 8:17")]
    [InlineData("{a: text}", "$input.b", "unknown_field 8:20")]
    [InlineData("{a: text}", "$workflow.id.x", "type_mismatch 8:26")]
    [InlineData("{a: text}", "$task.nam", "unknown_field 8:19")]
    [InlineData("'${ .whatever | tostring }'", ".b", "type_mismatch 8:14")]
    public void Warns_of_what_can_only_fail_or_only_be_null(string value, string expression, string warning) =>
        Assert.Equal([warning], Warnings(After(value, expression)));

    [Theory]
    [InlineData("map:1.0.0@default", "in: [{n: 1}], do: {namespace: t, name: c, version: 1.x}, input: {m: '${ $item.m }'}", ".[0]", "unknown_field 5:91")]
    [InlineData("map:1.0.0@default", "in: [{n: 1}], do: {namespace: t, name: c, version: 1.x}, onError: collect", ".result", "unknown_field 9:14")]
    [InlineData("map:1.0.0@default", "in: [{n: 1}], do: {namespace: t, name: c, version: 1.x}", ".results", "type_mismatch 9:14")]
    [InlineData("swarm:1.0.0@default", "nodes: {a: {run: {namespace: t, name: c, version: 1.x}}}", ".a.outptu", "unknown_field 9:16")]
    [InlineData("swarm:1.0.0@default", "nodes: {a: {run: {namespace: t, name: c, version: 1.x}}, b: {run: {namespace: t, name: c, version: 1.x}, needs: [a], input: '${ $needs.c }'}}", ".b.output.x", "unknown_field 5:148")]
    public void Knows_what_maps_and_swarms_give_and_what_their_children_can_read(string function, string with, string expression, string warning) =>
        Assert.Equal([warning], Warnings($"do:\n  - first:\n      call: {function}\n      with: {{{with}}}\n  - second:\n      set:\n        x: |-\n          ${{ {expression} }}\n"));

    [Theory]
    [InlineData("{a: 1}", ".a")]
    [InlineData("{a: 1}", ".b // 5")]
    [InlineData("{a: 1}", ".b?")]
    [InlineData("{a: 1}", "try .b.c catch 1")]
    [InlineData("{a: 1}", ".b == null")]
    [InlineData("{a: 1}", "has(\"b\")")]
    [InlineData("{a: 1}", ".b = 2 | .b")]
    [InlineData("{a: 1}", ".b += [1]")]
    [InlineData("{a: 1}", "del(.b)")]
    [InlineData("{a: 1}", ". + {b: 2} | .b")]
    [InlineData("{a: null}", ".a.b.c")]
    [InlineData("{a: null}", ".a + 1")]
    [InlineData("{a: '${ .x }'}", ".a.b[0].c + 1")]
    [InlineData("{a: 1}", "if (.a | type) == \"object\" then .a.b else .a end")]
    [InlineData("{a: 1}", ".[\"a\"] + (.a * 2)")]
    [InlineData("{a: ab}", ".a * 2 + \"c\"")]
    [InlineData("{a: [1]}", "[.a[] | select(. > 0)] | length + 1")]
    [InlineData("{a: [{b: 1}]}", ".a | map(.b) | add")]
    [InlineData("{a: 1}", "def b: .b; b")]
    [InlineData("{a: 1}", "reduce range(3) as $i (0; . + $i)")]
    [InlineData("{a: 1}", "to_entries | map(.key)")]
    [InlineData("{a: 1}", ". as {a: $v, c: $w} | $v + 1")]
    [InlineData("{a: {b: 1}}", ".a | keys | join(\",\")")]
    [InlineData("'${ .whatever }'", ".b.c[0] * 2")]
    public void Says_nothing_of_what_may_work(string value, string expression) => Assert.Empty(Warnings(After(value, expression)));

    [Theory]
    [InlineData(".pet.name", null)]
    [InlineData(".cat", "unknown_field 6:14")]
    [InlineData(".pet.age", null)]
    [InlineData(".count.x", "type_mismatch 6:20")]
    [InlineData(".tags[0].x", "type_mismatch 6:22")]
    [InlineData("$workflow.input.dog", "unknown_field 6:29")]
    [InlineData(".count + 1", null)]
    public void A_schema_says_what_the_input_holds(string expression, string? warning) =>
        Assert.Equal(warning is null ? [] : [warning], Warnings(Pet + $"do:\n  - a:\n      set:\n        x: ${{{expression}}}\n"));

    [Fact]
    public void Output_of_a_process_is_what_it_returns() =>
        Assert.Equal(["type_mismatch 6:15", "unknown_field 10:15"], Warnings("""
            do:
              - list: {run: {shell: {command: ls}}}
              - a:
                  set:
                    x: ${ .stdout }
              - run: {run: {shell: {command: ls}, return: all}}
              - b:
                  if: .code + 1 > 2 and (.stdout | split("-")) != []
                  set: ${ .out }
            """));

    [Fact]
    public void A_loop_goes_through_an_array() =>
        Assert.Equal(["type_mismatch 6:26"], Warnings("do:\n  - a: {set: {n: 5}}\n  - b:\n      # the loop\n      for: {each: i, in: .n}\n      do:\n        - c: {set: {x: '${ $i }'}}\n"));

    [Fact]
    public void A_loop_variable_is_an_item_of_what_is_gone_through() =>
        Assert.Equal(["type_mismatch 6:32", "unknown_field 6:60"], Warnings(
            "do:\n  - b:\n      for: {each: i, in: [{n: 1}, {n: 2}]}\n      do:\n        - c: {set: {x: '${ $i.n.x }', y: '${ $index + 1, $i.m }'}}\n"));

    [Fact]
    public void A_caught_error_has_the_members_of_an_error() =>
        Assert.Equal(["unknown_field 6:38"], Warnings(
            "do:\n  - b:\n      try: [{a: {call: http, with: {method: get, endpoint: https://example.com}}}]\n      catch:\n        do: [{c: {set: {x: '${ $error.message }', y: '${ $error.title }'}}}]\n"));

    [Fact]
    public void A_member_that_one_of_two_ways_sets_may_be_there() =>
        Assert.Empty(Warnings("""
            do:
              - choose:
                  switch:
                    - yes: {when: .x, then: one}
                    - no: {then: two}
              - one: {set: {a: 1}, then: both}
              - two: {set: {b: 1}}
              - both: {set: {x: '${ .a }', y: '${ .b }'}}
            """));

    [Fact]
    public void A_member_that_no_way_sets_is_not_there() =>
        Assert.Equal(["unknown_field 9:25"], Warnings("""
            do:
              - choose:
                  switch:
                    - yes: {when: .x, then: one}
                    - no: {then: two}
              - one: {set: {a: 1}, then: both}
              - two: {set: {b: 1}}
              - both: {set: {x: '${ .c }'}}
            """));

    [Fact]
    public void A_task_that_is_left_out_hands_on_what_it_was_given() =>
        Assert.Empty(Warnings("do:\n  - a: {set: {p: 1}}\n  - b: {if: .p > 1, set: {q: 1}}\n  - c: {set: {x: '${ .p }', y: '${ .q }'}}\n"));

    [Fact]
    public void A_way_back_may_bring_anything() =>
        Assert.Empty(Warnings("do:\n  - a: {set: {n: '${ (.n // 0) + 1 }'}}\n  - b: {set: {n: '${ .n }', done: '${ .n > 3 }'}}\n  - c:\n      switch:\n        - more: {when: .done | not, then: b}\n"));

    [Fact]
    public void The_context_holds_what_tasks_export() =>
        Assert.Equal(["unknown_field 5:36"], Warnings("""
            input: {schema: {document: {type: object, properties: {given: {type: string}}, additionalProperties: false}}}
            do:
              - a: {set: {n: 1}, export: {as: '$context + {first: .n}'}}
              - b: {set: {m: 1, x: '${ $context.third }'}, export: {as: '$context + {second: .m}'}}
              - c: {set: {x: '${ $context.first }', y: '${ $context.second }', z: '${ $context.given }'}}
            """));

    [Fact]
    public void The_context_of_a_workflow_whose_input_is_not_described_may_hold_anything() =>
        Assert.Empty(Warnings("do:\n  - a: {set: {x: '${ $context.whatever }'}}\n"));

    [Fact]
    public void A_function_is_entered_with_anything() =>
        Assert.Empty(Warnings("use: {functions: {f: {set: {x: '${ .anything.at.all }'}}}}\ndo:\n  - a: {set: {n: 1}}\n  - b: {call: f, with: {anything: {}}}\n  - c: {set: {y: '${ .x }'}}\n"));

    [Fact]
    public void A_secret_that_is_not_listed_is_not_there() =>
        Assert.Equal(["unknown_field 5:63"], Warnings("use: {secrets: [token]}\ndo:\n  - a:\n      run: {shell: {command: ls, environment: {T: '${ $secrets.tokn }'}}}\n"));

    [Fact]
    public void Tasks_that_nothing_leads_to_are_named_once() =>
        Assert.Equal(["unreachable 4:5"], Warnings("do:\n  - a: {wait: PT1S, then: d}\n  - b: {wait: PT1S}\n  - c: {wait: PT1S}\n  - d: {wait: PT1S}\n"));

    [Theory]
    [InlineData("if: $input.x", "unavailable_variable 4:11")]
    [InlineData("if: $output.x", "unavailable_variable 4:11")]
    [InlineData("input: {from: '$input'}", "unavailable_variable 4:22")]
    [InlineData("output: {as: '$output'}", "unavailable_variable 4:21")]
    [InlineData("export: {as: '{o: $output, i: $input}'}", null)]
    [InlineData("if: $task.name == \"a\"", null)]
    public void Arguments_that_a_place_does_not_have_are_warned_of(string property, string? warning) =>
        Assert.Equal(warning is null ? [] : [warning], Warnings($"do:\n  - a:\n      {property}\n      wait: PT1S\n"));

    [Fact]
    public void The_arguments_of_the_whole_workflow_are_fewer() =>
        Assert.Equal(["unavailable_variable 2:15", "unavailable_variable 3:19"], Warnings("input: {from: $task.x}\noutput: {as: '. + $input'}\ndo:\n  - a: {wait: PT1S}\n"));
}
