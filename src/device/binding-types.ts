// The interface package declares its types for CommonJS only; this file makes them usable from here.
export type BindingInterface<T extends BindingPortInterface = BindingPortInterface> =
  import('@serialport/bindings-interface', { with: { 'resolution-mode': 'require' }}).BindingInterface<T>;
export type BindingPortInterface = import('@serialport/bindings-interface', { with: {
  'resolution-mode': 'require',
}}).BindingPortInterface;
export type OpenOptions = import('@serialport/bindings-interface', { with: {
  'resolution-mode': 'require',
}}).OpenOptions;
export type PortInfo = import('@serialport/bindings-interface', { with: { 'resolution-mode': 'require' }}).PortInfo;
export type PortStatus = import('@serialport/bindings-interface', { with: { 'resolution-mode': 'require' }}).PortStatus;
