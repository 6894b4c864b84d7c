using Millrace.Jq.Builtins;
using Millrace.Jq.Evaluation;
using Millrace.Jq.Syntax;

namespace Millrace.Jq.Compilation;

internal sealed partial class Compiler
{
    private Code Call(CallNode call, Context c) => call.Target is null ? BuiltIn(call, c) : CallTarget(call, c, paths: false);

    private Code PathCall(CallNode call, Context c) => call.Target is null ? PathBuiltIn(call, c) : CallTarget(call, c, paths: true);

    private Code CallTarget(CallNode call, Context c, bool paths)
    {
        if (call.Target is Parameter parameter)
        {
            return c.Scope.Find(parameter) switch
            {
                WrittenArgument written => Part(written.Node, c with { Scope = written.Scope }, paths),
                PassedArgument passed => Argument(passed, c, paths),
                _ => throw new InvalidOperationException(parameter.Name),
            };
        }
        var definition = (Definition)call.Target!;
        var place = c.Scope.Find(definition) as DefinitionPlace ?? PreludePlace(definition);
        var writeOut = !definition.IsRecursive && _depth < WrittenDepthMax && _nodes + definition.Weight < WrittenNodesMax;
        return writeOut ? WriteOut(definition, place, call, c, paths) : CallFunction(definition, place, call, c, paths);
    }

    private Code Part(Node node, Context c, bool paths) => paths ? Paths(node, c) : Values(node, c);

    private static Code Argument(PassedArgument passed, Context c, bool paths)
    {
        var hops = c.Function.HopsTo(passed.Owner);
        return new Code(next => new ArgumentOp(hops, passed.Index, paths, next));
    }

    private DefinitionPlace PreludePlace(Definition definition)
    {
        if (_prelude.TryGetValue(definition, out var place)) return place;
        place = new DefinitionPlace(_main);
        place.Scope = Scope.Root.With(definition, place);
        _prelude[definition] = place;
        return place;
    }

    private Code WriteOut(Definition definition, DefinitionPlace place, CallNode call, Context c, bool paths)
    {
        var inner = c with { Scope = place.Scope };
        for (var i = 0; i < definition.Parameters.Count; i++)
            inner = inner.With(definition.Parameters[i], new WrittenArgument(call.Arguments[i], c.Scope));
        return BindParameters(definition, inner, paths);
    }

    /// <summary>A <c>$parameter</c> is the parameter's outputs bound one after the other, the first parameter outermost.</summary>
    private Code BindParameters(Definition definition, Context c, bool paths, int from = 0)
    {
        while (from < definition.Parameters.Count && definition.Parameters[from].Value is null) from++;
        if (from == definition.Parameters.Count) return Part(definition.Body, c, paths);
        var parameter = definition.Parameters[from];
        var source = c.Scope.Find(parameter) is WrittenArgument written
            ? Values(written.Node, c with { Scope = written.Scope })
            : Argument((PassedArgument)c.Scope.Find(parameter)!, c, paths: false);
        var slot = c.NewSlot();
        var body = BindParameters(definition, c.With(parameter.Value!, new VariablePlace(c.Function, slot)), paths, from + 1);
        return BindSlot(source, slot, c.NewSlot(), body);
    }

    private Code CallFunction(Definition definition, DefinitionPlace place, CallNode call, Context c, bool paths)
    {
        var builder = FunctionOf(definition, place, paths);
        var hops = c.Function.HopsTo(place.Owner);
        ArgumentSource[] arguments = [.. call.Arguments.Select(argument => PassArgument(argument, c))];
        return new Code(next => new CallOp(builder.Function, paths, hops, arguments, next));
    }

    private FunctionBuilder FunctionOf(Definition definition, DefinitionPlace place, bool paths)
    {
        var builder = place.Builder ??= new FunctionBuilder(place.Owner);
        if (paths ? place.HasPaths : place.HasValues) return builder;
        if (paths) place.HasPaths = true;
        else place.HasValues = true;
        var inner = new Context(place.Scope, builder);
        for (var i = 0; i < definition.Parameters.Count; i++)
            inner = inner.With(definition.Parameters[i], new PassedArgument(builder, i));
        _pending.Enqueue(() =>
        {
            var entry = BindParameters(definition, inner, paths).Emit(ReturnOp.Instance);
            if (paths) builder.Function.Paths = entry;
            else builder.Function.Values = entry;
        });
        return builder;
    }

    private ArgumentSource PassArgument(Node argument, Context c)
    {
        // A parameter handed on as it is needs no code of its own, however often it is handed on.
        while (argument is CallNode { Target: Parameter parameter })
        {
            var place = c.Scope.Find(parameter);
            if (place is PassedArgument passed) return new ArgumentSource(null, c.Function.HopsTo(passed.Owner), passed.Index);
            (argument, c) = (((WrittenArgument)place!).Node, c with { Scope = ((WrittenArgument)place).Scope });
        }
        return new ArgumentSource(ArgumentCode(argument, c).Function, 0, 0);
    }

    private FunctionBuilder ArgumentCode(Node argument, Context c)
    {
        var key = (argument, c.Scope, c.Function);
        if (_arguments.TryGetValue(key, out var builder)) return builder;
        builder = new FunctionBuilder(c.Function);
        _arguments[key] = builder;
        var inner = new Context(c.Scope, builder);
        _pending.Enqueue(() =>
        {
            var values = Values(argument, inner);
            builder.Function.Single = values.Single;
            builder.Function.Values = values.Emit(ReturnOp.Instance);
            builder.Function.Paths = Paths(argument, inner).Emit(ReturnOp.Instance);
        });
        return builder;
    }
}
