using System.Collections.Frozen;
using Google.Protobuf.Reflection;

namespace Millrace.Connectors.Grpc;

using Kind = FieldDescriptorProto.Type;

/// <summary>The messages, enums and services of a proto file and of what it imports, with every name resolved.</summary>
internal sealed class ProtoSchema
{
    private readonly Dictionary<string, ProtoMessage> _messages = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ProtoEnum> _enums = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ServiceDescriptorProto> _services = new(StringComparer.Ordinal);

    public ProtoSchema(FileDescriptorSet files)
    {
        foreach (var file in files.Files)
        {
            var package = file.Package is { Length: > 0 } name ? $".{name}" : "";
            foreach (var one in file.EnumTypes) AddEnum(package, one);
            foreach (var one in file.MessageTypes) AddMessage(package, one);
            foreach (var one in file.Services) _services[$"{package}.{one.Name}"[1..]] = one;
        }
        foreach (var file in files.Files)
        {
            var package = file.Package is { Length: > 0 } name ? $".{name}" : "";
            foreach (var one in file.MessageTypes) Link(package, one, file);
        }
    }

    /// <summary>By full name, without the leading dot.</summary>
    public ProtoMessage? Message(string name) => _messages.GetValueOrDefault($".{name}");

    /// <param name="service">With its package, or alone when there is one of that name.</param>
    /// <exception cref="Refusal">There is none.</exception>
    public ProtoMethod Method(string service, string method)
    {
        var named = _services.ContainsKey(service) ? [service] : _services.Keys.Where(s => s.EndsWith($".{service}", StringComparison.Ordinal)).ToArray();
        if (named.Length != 1)
            throw Refusal.Configuration("Service unknown", named.Length > 1 ? $"There are several services named {service}: {string.Join(", ", named)}."
                : $"The proto has no service '{service}'; it has {Listed(_services.Keys)}.");
        var found = _services[named[0]].Methods.Find(m => m.Name == method)
            ?? throw Refusal.Configuration("Method unknown", $"The service {named[0]} has no method '{method}'; it has {Listed(_services[named[0]].Methods.Select(m => m.Name))}.");
        return new ProtoMethod(named[0], method, _messages[found.InputType], _messages[found.OutputType], found.ClientStreaming, found.ServerStreaming);
    }

    private static string Listed(IEnumerable<string> names)
    {
        string[] some = [.. names.Order(StringComparer.Ordinal).Take(20)];
        return some.Length == 0 ? "none" : string.Join(", ", some);
    }

    private void AddEnum(string prefix, EnumDescriptorProto one) => _enums[$"{prefix}.{one.Name}"] = new ProtoEnum($"{prefix}.{one.Name}"[1..],
        one.Values.Count > 0 ? one.Values[0].Name : "", one.Values.DistinctBy(v => v.Number).ToFrozenDictionary(v => v.Number, v => v.Name),
        one.Values.ToFrozenDictionary(v => v.Name, v => v.Number, StringComparer.Ordinal));

    private void AddMessage(string prefix, DescriptorProto one)
    {
        var name = $"{prefix}.{one.Name}";
        _messages[name] = new ProtoMessage(name[1..], one.Options?.MapEntry ?? false);
        foreach (var inner in one.EnumTypes) AddEnum(name, inner);
        foreach (var inner in one.NestedTypes) AddMessage(name, inner);
    }

    private void Link(string prefix, DescriptorProto one, FileDescriptorProto file)
    {
        var name = $"{prefix}.{one.Name}";
        foreach (var inner in one.NestedTypes) Link(name, inner, file);
        _messages[name].Fields = [.. one.Fields.OrderBy(f => f.Number).Select(f => FieldOf(f, one, file))];
    }

    private ProtoField FieldOf(FieldDescriptorProto field, DescriptorProto of, FileDescriptorProto file)
    {
        var implicitPresence = file.Syntax == "proto3" && !field.Proto3Optional;
        // The parser numbers one-ofs from 0 and leaves 0 for fields that are in none; so a field is asked for its own declaration.
        var oneof = field.ShouldSerializeOneofIndex() && !field.Proto3Optional && field.OneofIndex < of.OneofDecls.Count;
        var repeated = field.label == FieldDescriptorProto.Label.LabelRepeated;
        var message = field.type is Kind.TypeMessage or Kind.TypeGroup ? _messages[field.TypeName] : null;
        return new ProtoField
        {
            Number = field.Number,
            Name = field.Name,
            JsonName = field.JsonName is { Length: > 0 } json ? json : CamelCase(field.Name),
            Kind = field.type,
            Message = message,
            Enum = field.type == Kind.TypeEnum ? _enums[field.TypeName] : null,
            IsRepeated = repeated,
            IsPacked = repeated && message is null && ProtoWriter.WireTypeOf(field.type) is not (2 or 3) && IsPacked(field, file),
            IsRequired = field.label == FieldDescriptorProto.Label.LabelRequired,
            OneOf = oneof ? of.OneofDecls[field.OneofIndex].Name : null,
            HasPresence = !repeated && (!implicitPresence || oneof || message is not null),
        };
    }

    private static bool IsPacked(FieldDescriptorProto field, FileDescriptorProto file) =>
        field.Options is { } options && options.ShouldSerializePacked() ? options.Packed : file.Syntax == "proto3";

    /// <summary>As protoc makes the names of JSON.</summary>
    private static string CamelCase(string name)
    {
        var text = new System.Text.StringBuilder(name.Length);
        for (var i = 0; i < name.Length; i++)
        {
            if (name[i] != '_') text.Append(name[i]);
            else if (++i < name.Length) text.Append(char.ToUpperInvariant(name[i]));
        }
        return text.ToString();
    }
}

internal sealed record ProtoMethod(string Service, string Name, ProtoMessage Input, ProtoMessage Output, bool ClientStreams, bool ServerStreams);

internal sealed record ProtoEnum(string Name, string Default, FrozenDictionary<int, string> Names, FrozenDictionary<string, int> Numbers);

internal sealed class ProtoMessage(string name, bool isMapEntry)
{
    private FrozenDictionary<string, ProtoField> _byName = FrozenDictionary<string, ProtoField>.Empty;
    private FrozenDictionary<int, ProtoField> _byNumber = FrozenDictionary<int, ProtoField>.Empty;

    /// <summary>With its package, without a leading dot.</summary>
    public string Name => name;

    public bool IsMapEntry => isMapEntry;

    /// <summary>By number.</summary>
    public IReadOnlyList<ProtoField> Fields
    {
        get;
        set
        {
            field = value;
            _byNumber = value.DistinctBy(f => f.Number).ToFrozenDictionary(f => f.Number);
            _byName = value.SelectMany(f => new[] { KeyValuePair.Create(f.JsonName, f), KeyValuePair.Create(f.Name, f) }).DistinctBy(f => f.Key)
                .ToFrozenDictionary(StringComparer.Ordinal);
        }
    } = [];

    public ProtoField? Find(int number) => _byNumber.GetValueOrDefault(number);

    /// <summary>By its name in JSON, or in the proto.</summary>
    public ProtoField? Find(string jsonOrOwnName) => _byName.GetValueOrDefault(jsonOrOwnName);
}

internal sealed record ProtoField
{
    public required int Number { get; init; }
    public required string Name { get; init; }
    public required string JsonName { get; init; }
    public required Kind Kind { get; init; }
    public ProtoMessage? Message { get; init; }
    public ProtoEnum? Enum { get; init; }
    public bool IsRepeated { get; init; }
    public bool IsPacked { get; init; }
    public bool IsRequired { get; init; }
    public string? OneOf { get; init; }

    /// <summary>Whether a value that is not there differs from the default.</summary>
    public bool HasPresence { get; init; }

    public bool IsMap => IsRepeated && Message is { IsMapEntry: true };
}
